//! The socket to the kernel's links, addresses and routes.
//!
//! Notifications only say that something changed; what is true is then asked for as a whole (three dumps) and
//! compared with what was. So a lost notification (the socket's buffer is finite) or one that the kernel never
//! sends costs nothing.

use std::io;
use std::time::Duration;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::LinkMessage;
use netlink_packet_route::route::RouteMessage;
use netlink_sys::{AsyncSocket, AsyncSocketExt, SocketAddr, TokioSocket, protocols::NETLINK_ROUTE};
use tokio::sync::mpsc::Sender;
use tokio::time::timeout;

use super::route_table::{Message, RouteTable, messages};
use crate::event::Event;
use crate::network::{Effect, NetworkState};
use crate::network_news::Network;

/// The kernel answers within milliseconds, or not at all.
const ANSWER: Duration = Duration::from_secs(5);
/// Dumps that the kernel itself calls inconsistent are asked for again, this often.
const DUMPS: usize = 10;
/// More than the kernel ever sends at once (32 KiB).
const DATAGRAM: usize = 64 * 1024;

const GROUPS: [u32; 5] = [
    libc::RTNLGRP_LINK,
    libc::RTNLGRP_IPV4_IFADDR,
    libc::RTNLGRP_IPV6_IFADDR,
    libc::RTNLGRP_IPV4_ROUTE,
    libc::RTNLGRP_IPV6_ROUTE,
];

/// Tells of changes for ever, or until nobody listens.
pub(crate) async fn network(events: Sender<Event>) {
    crate::network_news::tell_of(events, RouteSocket::open).await;
}

struct RouteSocket {
    socket: TokioSocket,
    port: u32,
    sequence: u32,
    datagram: Vec<u8>,
    /// As the last dump told it.
    table: RouteTable,
}

impl Network for RouteSocket {
    async fn read(&mut self) -> io::Result<(NetworkState, Effect)> {
        let (table, meanwhile) = self.dump().await?;
        self.table = table;
        Ok((self.table.state(), meanwhile))
    }

    /// Waits for one datagram of notifications.
    async fn notice(&mut self) -> io::Result<Effect> {
        if !self.receive().await? {
            return Ok(Effect::Stale);
        }
        let effects = messages(&self.datagram).map(|received| match received.read() {
            Ok(message) => self.table.effect_of(&message),
            // It may be anything: look.
            Err(_) => Effect::Stale,
        });
        Ok(effects.max().unwrap_or_default())
    }
}

impl RouteSocket {
    fn open() -> io::Result<Self> {
        let mut socket = TokioSocket::new(NETLINK_ROUTE)?;
        let port = socket.socket_mut().bind_auto()?.port_number();
        for group in GROUPS {
            socket.socket_mut().add_membership(group)?;
        }
        Ok(Self {
            socket,
            port,
            sequence: 0,
            datagram: Vec::with_capacity(DATAGRAM),
            table: RouteTable::default(),
        })
    }

    /// Everything as it is now, and what notifications in between mean for it. Such notifications may be
    /// older or newer than the part they belong to, so they only ask for another dump.
    async fn dump(&mut self) -> io::Result<(RouteTable, Effect)> {
        for _ in 0..DUMPS {
            let mut table = RouteTable::default();
            let mut noticed = Vec::new();
            let mut consistent = true;
            for question in [
                RouteNetlinkMessage::GetLink(LinkMessage::default()),
                RouteNetlinkMessage::GetAddress(AddressMessage::default()),
                RouteNetlinkMessage::GetRoute(RouteMessage::default()),
            ] {
                self.ask(question).await?;
                consistent &= timeout(ANSWER, self.answer(&mut table, &mut noticed)).await??;
            }
            if consistent {
                let effect = noticed.iter().map(|message| table.effect_of(message)).max();
                return Ok((table, effect.unwrap_or_default()));
            }
        }
        Err(io::Error::other("the tables change faster than they can be read"))
    }

    async fn ask(&mut self, question: RouteNetlinkMessage) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1).max(1);
        let mut message = NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::from(question));
        message.header.flags = NLM_F_REQUEST | NLM_F_DUMP;
        message.header.sequence_number = self.sequence;
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.socket
            .send_to(&bytes, &SocketAddr::new(0, 0))
            .await
            .map(drop)
    }

    /// Reads one dump to its end. False: it has holes.
    async fn answer(&mut self, table: &mut RouteTable, noticed: &mut Vec<Message>) -> io::Result<bool> {
        let mut consistent = true;
        loop {
            if !self.receive().await? {
                // Parts of the answer may be among what did not fit, even its end.
                return Ok(false);
            }
            for received in messages(&self.datagram) {
                let ours = received.port == self.port && received.sequence == self.sequence;
                let message = received.read().unwrap_or_else(|error| {
                    tracing::debug!(%error, "a netlink message that cannot be read");
                    Message::Other
                });
                match message {
                    message if !ours => noticed.push(message),
                    Message::Done => return Ok(consistent && !received.interrupted),
                    Message::Error { errno } if errno != 0 => {
                        return Err(io::Error::from_raw_os_error(errno));
                    }
                    message => {
                        consistent &= !received.interrupted;
                        table.learn(message);
                    }
                }
            }
        }
    }

    /// The next datagram from the kernel; false: some did not fit into the socket's buffer and are lost.
    async fn receive(&mut self) -> io::Result<bool> {
        loop {
            self.datagram.clear();
            match self.socket.recv_from(&mut self.datagram).await {
                Ok(sender) if sender.port_number() == 0 => return Ok(true),
                // Another program: none of our business.
                Ok(_) => {}
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
