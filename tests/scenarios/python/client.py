"""An XMPP client that is not ours: slixmpp over TCP, led by JSON lines.

    client.py ADDRESS PORT [--no-carbons] [--no-receipts] [--no-stream-management]

The password comes in SLIXMPP_PASSWORD. Commands on standard input, one JSON object a line:

    {"command": "send", "to": JID, "body": TEXT, "id": ID}      with a request for a receipt
    {"command": "raw", "xml": XML}                              exactly this
    {"command": "correct", "to": JID, "id": ID, "body": TEXT}   XEP-0308
    {"command": "retract", "to": JID, "id": ID}                 XEP-0424
    {"command": "displayed", "to": JID, "id": ID}               XEP-0333
    {"command": "state", "to": JID, "state": "composing"}       XEP-0085
    {"command": "subscribe", "to": JID}
    {"command": "archive"}                                      the bodies of the own archive, XEP-0313
    {"command": "break"}                                        drops the socket, without closing the stream
    {"command": "quit"}

Events on standard output, one JSON object a line: `live` (resumed: bool), `ended`, `message` (xml, from, to, id,
type, body), `carbon` (direction, from, to, body, xml), `receipt` (from, of), `displayed` (from, of), `state` (from,
state), `presence` (from, type), `bounce` (from, condition), `archive` (bodies), `error` (text).
Requests for our presence are accepted and returned.
"""

import argparse
import asyncio
import json
import os
import sys
from xml.etree import ElementTree

import slixmpp


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


class Client(slixmpp.ClientXMPP):
    def __init__(self, options):
        super().__init__(options.address, os.environ["SLIXMPP_PASSWORD"])
        self.options = options
        self.enable_direct_tls = self.enable_starttls = False
        self.enable_plaintext = True
        self.use_ipv6 = False
        self.plugin["feature_mechanisms"].unencrypted_scram = True
        self.auto_authorize = self.auto_subscribe = True
        for plugin in ["0030", "0085", "0199", "0203", "0308", "0313", "0333", "0334", "0359", "0424"]:
            self.register_plugin(f"xep_{plugin}")
        if options.receipts:
            self.register_plugin("xep_0184")
        if options.carbons:
            self.register_plugin("xep_0280")
        if options.stream_management:
            self.register_plugin("xep_0198", {"window": 1})
        self.add_event_handler("session_start", self.began)
        self.add_event_handler("session_resumed", lambda _: say("live", resumed=True))
        self.add_event_handler("disconnected", lambda _: say("ended"))
        self.add_event_handler("failed_all_auth", lambda _: say("error", text="the password was refused"))
        self.add_event_handler("message", self.heard)
        self.add_event_handler("message_error", self.bounced)
        self.add_event_handler("carbon_received", lambda it: self.copied(it, "received"))
        self.add_event_handler("carbon_sent", lambda it: self.copied(it, "sent"))
        self.add_event_handler("receipt_received", self.receipt)
        self.add_event_handler("marker_displayed", self.marked)
        for state in ["active", "composing", "paused", "inactive", "gone"]:
            self.add_event_handler(f"chatstate_{state}", self.stated)
        for kind in ["got_online", "got_offline", "presence_subscribed", "presence_unsubscribed"]:
            self.add_event_handler(kind, self.presence)

    async def began(self, _):
        await self.get_roster()
        if self.options.carbons:
            await self.plugin["xep_0280"].enable()
        self.send_presence()
        say("live", resumed=False)

    def heard(self, message):
        say(
            "message",
            xml=str(message),
            **{"from": str(message["from"])},
            to=str(message["to"]),
            id=message["id"],
            type=message["type"],
            body=message["body"],
        )

    def bounced(self, message):
        say("bounce", **{"from": str(message["from"])}, condition=message["error"]["condition"])

    def copied(self, message, direction):
        inner = message[f"carbon_{direction}"]
        say(
            "carbon",
            direction=direction,
            **{"from": str(inner["from"])},
            to=str(inner["to"]),
            body=inner["body"],
            xml=str(inner),
        )

    def receipt(self, message):
        say("receipt", **{"from": str(message["from"])}, of=message["receipt"])

    def marked(self, message):
        say("displayed", **{"from": str(message["from"])}, of=message["displayed"]["id"])

    def stated(self, message):
        say("state", **{"from": str(message["from"])}, state=message["chat_state"])

    def presence(self, presence):
        say("presence", **{"from": str(presence["from"])}, type=presence["type"])

    async def obey(self, command):
        match command.pop("command"):
            case "send":
                message = self.make_message(mto=command["to"], mbody=command["body"], mtype="chat")
                message["id"] = command["id"]
                message["origin_id"]["id"] = command["id"]
                if self.options.receipts:
                    message["request_receipt"] = True
                message.enable("markable")
                message.send()
            case "raw":
                # As the stream would write it: ElementTree would rename prefixes.
                ElementTree.fromstring(command["xml"])
                self.send_raw(command["xml"])
            case "correct":
                correction = self.plugin["xep_0308"].build_correction(
                    command["id"], command["to"], mtype="chat", mbody=command["body"]
                )
                correction.send()
            case "retract":
                self.plugin["xep_0424"].send_retraction(command["to"], command["id"])
            case "displayed":
                self.plugin["xep_0333"].send_marker(command["to"], command["id"], "displayed", mtype="chat")
            case "state":
                message = self.make_message(mto=command["to"], mtype="chat")
                message["chat_state"] = command["state"]
                message.send()
            case "subscribe":
                self.send_presence_subscription(command["to"])
            case "archive":
                bodies = []
                async for result in self.plugin["xep_0313"].iterate():
                    bodies.append(result["mam_result"]["forwarded"]["stanza"]["body"])
                say("archive", bodies=bodies)
            case "break":
                self.abort()
            case "connect":
                self.begin()
            case "quit":
                await self.disconnect()
                return False
            case other:
                say("error", text=f"unknown command {other}")
        return True

    def begin(self):
        self.connect("127.0.0.1", self.options.port)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("--no-carbons", dest="carbons", action="store_false")
    parser.add_argument("--no-receipts", dest="receipts", action="store_false")
    parser.add_argument("--no-stream-management", dest="stream_management", action="store_false")
    client = Client(parser.parse_args())
    client.begin()
    lines = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    while line := await lines.readline():
        try:
            if not await client.obey(json.loads(line)):
                return
        except Exception as error:
            say("error", text=repr(error))


asyncio.run(main())
