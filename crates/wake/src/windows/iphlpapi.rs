//! Addresses and routes from the IP helper (iphlpapi).
//!
//! Notifications (`NotifyUnicastIpAddressChange`, `NotifyRouteChange2`, `NotifyIpInterfaceChange`) only say that something changed; what is
//! true is then read as a whole: adapters with their addresses (`GetAdaptersAddresses`) and the routes (`GetIpForwardTable2`).

use std::collections::BTreeSet;
use std::ffi::c_void;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr::{null, null_mut};
use std::sync::OnceLock;

use tokio::sync::mpsc::{Sender, UnboundedReceiver};
use windows_sys::Win32::Foundation::{
    ERROR_BUFFER_OVERFLOW, ERROR_NO_DATA, ERROR_NOT_FOUND, ERROR_SUCCESS, WIN32_ERROR,
};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    FreeMibTable, GAA_FLAG_SKIP_ANYCAST, GAA_FLAG_SKIP_DNS_SERVER, GAA_FLAG_SKIP_FRIENDLY_NAME,
    GAA_FLAG_SKIP_MULTICAST, GetAdaptersAddresses, GetIpForwardTable2, IF_TYPE_SOFTWARE_LOOPBACK,
    IP_ADAPTER_ADDRESSES_LH, MIB_IPFORWARD_ROW2, MIB_IPINTERFACE_ROW, MIB_NOTIFICATION_TYPE,
    MIB_UNICASTIPADDRESS_ROW, MibDeleteInstance, NotifyIpInterfaceChange, NotifyRouteChange2,
    NotifyUnicastIpAddressChange,
};
use windows_sys::Win32::NetworkManagement::Ndis::IfOperStatusUp;
use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, AF_UNSPEC, IpDadStateDeprecated, IpDadStatePreferred, SOCKADDR_INET, SOCKET_ADDRESS,
};

use crate::event::Event;
use crate::listeners::Listeners;
use crate::network::{DefaultRoute, Effect, NetworkState, counts, leads_everywhere};
use crate::network_news::{Network, tell_of};

/// `GetAdaptersAddresses` advises 15 KiB to begin with; it says how much more it wants.
const ADAPTERS: usize = 16 * 1024;
/// The adapters can grow between two calls, though not for ever.
const TRIES: usize = 5;

static LISTENERS: Listeners<Effect> = Listeners::new();

/// Tells of changes for ever, or until nobody listens.
pub(crate) async fn network(events: Sender<Event>) {
    tell_of(events, IpHelper::open).await;
}

struct IpHelper(UnboundedReceiver<Effect>);

impl IpHelper {
    fn open() -> io::Result<Self> {
        static REGISTERED: OnceLock<WIN32_ERROR> = OnceLock::new();
        let heard = LISTENERS.listen();
        succeeded(*REGISTERED.get_or_init(register))?;
        Ok(Self(heard))
    }
}

impl Network for IpHelper {
    async fn read(&mut self) -> io::Result<(NetworkState, Effect)> {
        Ok((state()?, Effect::None))
    }

    async fn notice(&mut self) -> io::Result<Effect> {
        self.0
            .recv()
            .await
            .ok_or_else(|| io::Error::other("the notifications have ended"))
    }
}

fn succeeded(error: WIN32_ERROR) -> io::Result<()> {
    if error == ERROR_SUCCESS {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(error.cast_signed()))
    }
}

/// For the life of the process. Any one of the three failing is failing: a state would stay unread.
#[allow(unsafe_code)]
fn register() -> WIN32_ERROR {
    let mut handle = null_mut();
    // SAFETY: the handle is valid during each call; the callbacks are functions of this program and use no context.
    unsafe {
        let outcomes = [
            NotifyUnicastIpAddressChange(AF_UNSPEC, Some(address_changed), null(), false, &raw mut handle),
            NotifyRouteChange2(AF_UNSPEC, Some(route_changed), null(), false, &raw mut handle),
            NotifyIpInterfaceChange(AF_UNSPEC, Some(interface_changed), null(), false, &raw mut handle),
        ];
        outcomes
            .into_iter()
            .find(|error| *error != ERROR_SUCCESS)
            .unwrap_or(ERROR_SUCCESS)
    }
}

fn loss_if(in_use: bool) -> Effect {
    if in_use { Effect::Interrupts } else { Effect::Stale }
}

#[allow(unsafe_code)]
unsafe extern "system" fn address_changed(
    _: *const c_void,
    row: *const MIB_UNICASTIPADDRESS_ROW,
    kind: MIB_NOTIFICATION_TYPE,
) {
    // SAFETY: Windows gives a row that is valid during the call, or none.
    let address = unsafe { row.as_ref() }.and_then(|row| address(&row.Address));
    let effect = loss_if(kind == MibDeleteInstance && address.is_some_and(counts));
    LISTENERS.tell(|| effect);
}

#[allow(unsafe_code)]
unsafe extern "system" fn route_changed(
    _: *const c_void,
    row: *const MIB_IPFORWARD_ROW2,
    kind: MIB_NOTIFICATION_TYPE,
) {
    // SAFETY: Windows gives a row that is valid during the call, or none.
    let effect = unsafe { row.as_ref() }.map_or(Effect::Stale, |row| {
        // Routes to single neighbours and networks come and go all day.
        default_route(row).map_or(Effect::None, |_| loss_if(kind == MibDeleteInstance))
    });
    if effect != Effect::None {
        LISTENERS.tell(|| effect);
    }
}

#[allow(unsafe_code)]
unsafe extern "system" fn interface_changed(
    _: *const c_void,
    _: *const MIB_IPINTERFACE_ROW,
    _: MIB_NOTIFICATION_TYPE,
) {
    LISTENERS.tell(|| Effect::Stale);
}

/// All that counts, as it is now.
fn state() -> io::Result<NetworkState> {
    let Adapters { addresses, running } = adapters()?;
    Ok(NetworkState {
        addresses,
        default_routes: default_routes()?
            .into_iter()
            .filter(|route| running.contains(&route.interface))
            .collect(),
    })
}

#[derive(Debug, Default)]
struct Adapters {
    /// Usable ones, of adapters that run.
    addresses: BTreeSet<IpAddr>,
    /// The indices of adapters that run: IPv4's and IPv6's, which may differ. Without the loopback.
    running: BTreeSet<u32>,
}

#[allow(unsafe_code)]
fn adapters() -> io::Result<Adapters> {
    const FLAGS: u32 = GAA_FLAG_SKIP_ANYCAST
        | GAA_FLAG_SKIP_MULTICAST
        | GAA_FLAG_SKIP_DNS_SERVER
        | GAA_FLAG_SKIP_FRIENDLY_NAME;
    let mut bytes = ADAPTERS;
    for _ in 0..TRIES {
        // In words of eight bytes, for the alignment of what is written there.
        let mut buffer = vec![0u64; bytes.div_ceil(8)];
        let mut length = u32::try_from(buffer.len() * 8).unwrap_or(u32::MAX);
        let first: *mut IP_ADAPTER_ADDRESSES_LH = buffer.as_mut_ptr().cast();
        // SAFETY: `first` points at `length` writable and aligned bytes.
        let outcome =
            unsafe { GetAdaptersAddresses(u32::from(AF_UNSPEC), FLAGS, null(), first, &raw mut length) };
        match outcome {
            ERROR_BUFFER_OVERFLOW => bytes = usize::try_from(length).unwrap_or(bytes) + ADAPTERS,
            ERROR_NO_DATA => return Ok(Adapters::default()),
            error => {
                succeeded(error)?;
                // SAFETY: the call has written a list of adapters into the buffer, which outlives this one.
                return Ok(unsafe { listed(first) });
            }
        }
    }
    Err(io::Error::other(
        "the adapters change faster than they can be read",
    ))
}

/// # Safety
///
/// A list as `GetAdaptersAddresses` writes it, or null.
#[allow(unsafe_code)]
unsafe fn listed(first: *const IP_ADAPTER_ADDRESSES_LH) -> Adapters {
    let mut adapters = Adapters::default();
    // SAFETY: every pointer in the list is null or points at the next entry in the same buffer.
    unsafe {
        let mut next = first;
        while let Some(adapter) = next.as_ref() {
            next = adapter.Next;
            if adapter.OperStatus != IfOperStatusUp || adapter.IfType == IF_TYPE_SOFTWARE_LOOPBACK {
                continue;
            }
            adapters
                .running
                .extend([adapter.Anonymous1.Anonymous.IfIndex, adapter.Ipv6IfIndex]);
            let mut unicast = adapter.FirstUnicastAddress.cast_const();
            while let Some(entry) = unicast.as_ref() {
                unicast = entry.Next;
                let usable = [IpDadStatePreferred, IpDadStateDeprecated].contains(&entry.DadState);
                let address = address(&whole(&entry.Address));
                adapters
                    .addresses
                    .extend(address.filter(|address| usable && counts(*address)));
            }
        }
    }
    adapters
}

/// A socket address of either length, as one of the greater; of no family if there is none.
///
/// # Safety
///
/// The pointer is null or points at as many bytes as the length says.
#[allow(unsafe_code)]
unsafe fn whole(from: &SOCKET_ADDRESS) -> SOCKADDR_INET {
    let mut whole = SOCKADDR_INET::default();
    let length = usize::try_from(from.iSockaddrLength).unwrap_or(0);
    if !from.lpSockaddr.is_null() {
        // SAFETY: so many bytes are there on both sides, which do not overlap, and any bytes make a valid `SOCKADDR_INET`.
        unsafe {
            std::ptr::copy_nonoverlapping(
                from.lpSockaddr.cast::<u8>(),
                (&raw mut whole).cast::<u8>(),
                length.min(size_of::<SOCKADDR_INET>()),
            );
        }
    }
    whole
}

#[allow(unsafe_code)]
fn default_routes() -> io::Result<Vec<DefaultRoute>> {
    let mut table = null_mut();
    // SAFETY: the pointer is valid during the call; what it then points at is freed below.
    let outcome = unsafe { GetIpForwardTable2(AF_UNSPEC, &raw mut table) };
    if outcome == ERROR_NOT_FOUND {
        return Ok(Vec::new());
    }
    succeeded(outcome)?;
    // SAFETY: after success the table has as many rows as it says, and lives until it is freed.
    unsafe {
        let rows = std::slice::from_raw_parts(
            (&raw const (*table).Table).cast::<MIB_IPFORWARD_ROW2>(),
            usize::try_from((*table).NumEntries).unwrap_or(0),
        );
        let routes = rows.iter().filter_map(default_route).collect();
        FreeMibTable(table.cast_const().cast());
        Ok(routes)
    }
}

fn default_route(row: &MIB_IPFORWARD_ROW2) -> Option<DefaultRoute> {
    let destination = address(&row.DestinationPrefix.Prefix)?;
    if row.Loopback || !leads_everywhere(destination.is_ipv6(), row.DestinationPrefix.PrefixLength) {
        return None;
    }
    Some(DefaultRoute {
        v6: destination.is_ipv6(),
        destination: Some(destination).filter(|to| !to.is_unspecified()),
        table: 0,
        metric: row.Metric,
        interface: row.InterfaceIndex,
        gateway: address(&row.NextHop).filter(|gateway| !gateway.is_unspecified()),
    })
}

#[allow(unsafe_code)]
fn address(from: &SOCKADDR_INET) -> Option<IpAddr> {
    // SAFETY: the family, which all variants begin with, says which one it is.
    unsafe {
        match from.si_family {
            AF_INET => Some(IpAddr::V4(Ipv4Addr::from(
                from.Ipv4.sin_addr.S_un.S_addr.to_ne_bytes(),
            ))),
            AF_INET6 => Some(IpAddr::V6(Ipv6Addr::from(from.Ipv6.sin6_addr.u.Byte))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Reach;
    use std::net::UdpSocket;
    use std::time::Duration;

    /// Asks the system which address it would send from; nothing is sent.
    fn way_out() -> Option<IpAddr> {
        let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
        socket.connect("192.0.2.1:9").ok()?;
        Some(socket.local_addr().ok()?.ip()).filter(|address| counts(*address))
    }

    #[test]
    fn the_address_that_leads_out_is_among_those_known_and_its_route_too() {
        let state = state().expect("Windows tells its adapters and routes");
        assert!(state.addresses.iter().all(|address| counts(*address)));
        match way_out() {
            Some(address) => {
                assert!(state.addresses.contains(&address), "{address} in {state:?}");
                assert_eq!(state.reach(), Reach::Global, "{state:?}");
            }
            None => assert_ne!(state.reach(), Reach::Global, "{state:?}"),
        }
    }

    #[test]
    fn only_routes_to_nearly_everywhere_are_default_routes() {
        let mut row = MIB_IPFORWARD_ROW2::default();
        row.DestinationPrefix.Prefix.si_family = AF_INET;
        row.DestinationPrefix.PrefixLength = 8;
        assert_eq!(default_route(&row), None);
        row.DestinationPrefix.PrefixLength = 0;
        row.NextHop.si_family = AF_INET;
        row.NextHop.Ipv4.sin_addr.S_un.S_addr = u32::from_ne_bytes([192, 0, 2, 1]);
        row.InterfaceIndex = 7;
        let route = default_route(&row).expect("a default route");
        assert_eq!(
            (route.gateway, route.interface, route.destination),
            (Some(IpAddr::from([192, 0, 2, 1])), 7, None)
        );
        row.Loopback = true;
        assert_eq!(default_route(&row), None);
    }

    /// The callbacks as Windows calls them: wine never does.
    #[allow(unsafe_code)]
    #[tokio::test]
    async fn what_is_gone_interrupts_and_what_has_come_is_looked_at() {
        let mut helper = IpHelper::open().expect("Windows registers the callbacks");
        let mut row = MIB_UNICASTIPADDRESS_ROW::default();
        row.Address.si_family = AF_INET;
        row.Address.Ipv4.sin_addr.S_un.S_addr = u32::from_ne_bytes([192, 0, 2, 7]);
        let network = MIB_IPFORWARD_ROW2::default();
        // SAFETY: the rows are valid during the calls.
        unsafe {
            address_changed(null(), &raw const row, MibDeleteInstance);
            interface_changed(null(), null(), MibDeleteInstance);
            route_changed(null(), &raw const network, MibDeleteInstance);
            route_changed(null(), null(), MibDeleteInstance);
        }
        for expected in [Effect::Interrupts, Effect::Stale, Effect::Stale] {
            let noticed = tokio::time::timeout(Duration::from_secs(5), helper.notice()).await;
            assert_eq!(noticed.unwrap().unwrap(), expected);
        }
    }
}
