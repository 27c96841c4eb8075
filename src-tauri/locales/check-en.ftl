# What a check of the connection says, and the window's own words for it. As in en.ftl and ui-en.ftl.

## The steps

check-step-name = Name
check-step-discovery = Discovery
check-step-tcp = TCP
check-step-proxy = Proxy
check-step-tls = Encryption
check-step-websocket = WebSocket
check-step-sign-in = Sign-in
check-step-resumption = Resumption
check-step-archive = Archive
check-step-round-trip = Round trip
check-step-idle = Silence
check-step-sleep = Simulated sleep

check-state-to-come = to come
check-state-under-way = under way
check-state-fine = works
check-state-lacking = works, something is missing
check-state-failed = failed
check-state-not-needed = not needed
check-state-not-tried = not tried
check-not-tried = Not tried: something it needs has failed.
check-cancelled = Not tried: the check was ended before.

check-verdict-fine = What was tried works.
check-verdict-lacking = It works; something is missing.
check-verdict-failed = Something does not work.
check-verdict-cancelled = The check was ended before it was over.

## What a step found

check-addresses = { $host } leads to { $addresses }.
check-is-address = The endpoint is given by its address, { $address }: no name is looked up.
check-no-names = No name can be looked up: most often there is no network. Check that this computer is online.
check-left-to-proxy = The proxy looks names up: none is looked up here.
check-given = The endpoint was given: { $endpoint }.
check-named = The domain names its endpoint: { $endpoint }.
check-named-another = The domain names its endpoint: { $endpoint }. Until now it was { $before }; Dormouse changes over by itself.
check-only-remembered = The domain does not tell its endpoint. ({ $cause }) What worked before is tried: { $endpoint }. Tell the server’s operator.
check-reached = Answered by { $address } ({ $family }), port { $port }.
check-refused = Nobody listens at { $endpoint }: the server is not running, or a firewall stands in front of it. Try again later, or ask its operator.
check-given-not-found = There is no such name as in { $endpoint }. Check the endpoint that was given.
check-endpoint-not-found = The domain names { $endpoint }, and no such name can be found. Tell the server’s operator.
check-no-proxy = No proxy in between.
check-through = { $proxy } opened the way to the server.
check-secured = { $version }; the certificate is one that this computer trusts.
check-secured-by = { $version }; the certificate is one that this computer trusts and was issued by “{ $issuer }”.
check-plain = Not encrypted: it does not leave this computer.
check-upgraded = HTTP 101, with the subprotocol xmpp.
check-signed-in = Signed in with { $mechanism }, { $flights }.
check-resumed = The connection was broken off without a farewell, and its session taken up again, { $flights }.
check-one-flight = in one flight
check-step-by-step = { $count ->
        [one] step by step in { $count } round trip
       *[other] step by step in { $count } round trips
    }
check-not-resumable = The server does not hold sessions of broken connections (XEP-0198). Dormouse reads its archive instead, which takes longer; ask its operator for it.
check-session-gone = The server did not hold the session of the broken connection, although it had said so. Dormouse reads its archive instead; tell its operator.
check-archive = The archive gave its newest entry.
check-archive-empty = There is an archive, and nothing in it yet.
check-no-archive = The server keeps no archive (XEP-0313): what arrives while Dormouse is not running may be lost. Ask its operator for one.
check-archive-refused = The archive gave nothing ({ $condition }). Tell the server’s operator.
check-round-trips = { $median } usually, { $worst } at worst, of { $count }.
check-held = After { $seconds } s of silence the connection still answers.
check-held-broken = After { $seconds } s the connection still answers. But the server spoke by itself: it was never silent for more than { $longest } s.
check-idle-timeout = The connection was ended after { $seconds } s of silence (code { $code }): probably the idle timeout of a proxy or router. Dormouse learns to ask before that; whoever runs the proxy can allow longer silence.
check-forgotten = After { $seconds } s of silence the connection looked open and carried nothing any more: probably a router or firewall has forgotten it. Dormouse learns to ask more often; whoever runs it can allow longer silence.
check-recovered-old = { $messages ->
        [0] Cut off for { $slept } s; back after { $took } on the old connection.
        [one] Cut off for { $slept } s; back after { $took } on the old connection, with { $messages } message of others.
       *[other] Cut off for { $slept } s; back after { $took } on the old connection, with { $messages } messages of others.
    }
check-recovered-resumed = { $messages ->
        [0] Cut off for { $slept } s; back after { $took } on a new connection with the earlier session.
        [one] Cut off for { $slept } s; back after { $took } on a new connection with the earlier session, with { $messages } message of others.
       *[other] Cut off for { $slept } s; back after { $took } on a new connection with the earlier session, with { $messages } messages of others.
    }
check-recovered-fresh = { $messages ->
        [0] Cut off for { $slept } s; back after { $took } with a new session.
        [one] Cut off for { $slept } s; back after { $took } with a new session, with { $messages } message of others.
       *[other] Cut off for { $slept } s; back after { $took } with a new session, with { $messages } messages of others.
    }
check-not-live = There is no working connection that could be cut off. { $cause }
check-not-back = The connection was not back { $seconds } s after the simulated sleep. { $cause }
check-length-nothing = <1 ms
check-length-millis = { $millis } ms
check-length-seconds = { $seconds }.{ $tenths } s

## The window's own words

ui-check = Test the connection
ui-check-lead = Step by step, on a connection of its own: what works, and what does not.
ui-check-idle = Try a silence of
ui-check-sleep = Simulate a sleep of
ui-check-none = Not now
ui-check-seconds = { $n ->
    [one] { $n } second
   *[other] { $n } seconds
}
ui-check-minutes = { $n ->
    [one] { $n } minute
   *[other] { $n } minutes
}
ui-check-begin = Test
ui-check-cancel = Stop
ui-check-steps = Steps
ui-check-copy = Copy report
ui-check-copied = The report is in the clipboard.
ui-check-with-server = Name the server in it
