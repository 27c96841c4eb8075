# What the shell says: why the connection is as it is, what could not be done, notifications. The window's own
# words are in ui-en.ftl. Format: Project Fluent. Both languages hold the same keys with the same variables (tested).
# A value that comes from a server or another person is data: it stands in quotation marks.

## Why a connection is in its state

cause-started = Dormouse has started.
cause-user-asked = You asked for it.
cause-dialled = The server answered.
cause-signed-in = Signed in with a new session.
cause-resumed = The earlier session was resumed.
cause-caught-up = Everything missed has been read.
cause-answered = The server answers.
cause-suspending = The computer is going to sleep.
cause-woke = The computer woke up.
cause-simulated-sleep = A simulated sleep: Dormouse has cut itself off, as you asked.
cause-simulated-wake = The simulated sleep is over.
cause-shown = The window was shown.
cause-unlocked = The screen was unlocked.
cause-network-changed = The network changed.
cause-network-down = There is no network.
cause-network-up = The network is back.
cause-slow-answer = The server is slow to answer.
cause-no-answer = The server did not answer in time.
cause-unacknowledged = The server did not confirm a message in time.
cause-spare-ready = A new connection was ready before the old one answered.
cause-backoff-over = It is time to try again.
cause-lost = The connection was lost.
cause-closed-by-server = The server closed the connection (code { $code }).
cause-closed-by-server-saying = The server closed the connection (code { $code }: “{ $reason }”).
cause-server-restarting = The server is restarting.
cause-throttled = The server asks us to slow down.
cause-server-trouble = The server is in trouble ({ $what }).
cause-policy-violation = The server refused the connection by its rules.
cause-policy-violation-saying = The server refused the connection by its rules: “{ $text }”.
cause-conflict = Another client of this account took over the session.
cause-session-gone = The server no longer had the earlier session.
cause-see-other = The server sent us to { $host }.
cause-protocol-violation = The server sent something that can't be understood ({ $what }).
cause-timed-out-discovery = The server's address could not be found in time.
cause-timed-out-names = The name look-up took too long.
cause-timed-out-tcp = The server could not be reached in time.
cause-timed-out-proxy = The proxy did not open the way to the server in time.
cause-timed-out-tls = The server did not finish the encryption handshake in time.
cause-timed-out-websocket = The server did not open the connection in time.
cause-name-not-found = There is no server called { $name }. Check the part of the address after the @.
cause-no-websocket = { $name } offers no connection over WebSocket. Ask its operator, or give the endpoint yourself if you know it.
cause-bad-endpoint = This endpoint can't be used: { $what }.
cause-unreachable = The server can't be reached.
cause-proxy-unreachable = The proxy { $proxy } can't be reached. Check the network and the proxy's address.
cause-proxy-wants-password = The proxy { $proxy } wants a user and a password. Sign in again and give them.
cause-proxy-wrong-password = The proxy { $proxy } refused its user or password. Sign in again with the right ones.
cause-proxy-refused = The proxy { $proxy } does not let the connection through ({ $answer }). Ask its operator.
cause-proxy-cannot-reach = The proxy { $proxy } can't reach the server ({ $answer }).
cause-proxy-none = What answers at { $proxy } is no such proxy. Check its address and kind.
cause-proxy-unusable = The system's settings name a proxy that can't be used ({ $proxy }). Dormouse knows http:// and socks5://.
cause-bad-certificate = The server's certificate is not trusted: { $problem }. Don't go on unless you know why; ask the server's operator.
cause-intercepted = This network intercepts the connection (the certificate shown is not your server's: { $problem }). If it has a sign-in page, open it in a browser.
cause-no-password = Dormouse needs your password to sign in.
cause-wrong-password = The server refused the password. Check the address and sign in again.
cause-account-disabled = The server says that this account is disabled. Ask its operator.
cause-account-disabled-saying = The server says that this account is disabled: “{ $text }”. Ask its operator.
cause-no-safe-mechanism = The server offers no safe way to sign in over this connection. Ask its operator.
cause-server-not-genuine = The server could not prove that it is the one this account belongs to. Dormouse goes on trying; don't give your password to anyone.
cause-store-failed = What arrives can't be stored on this computer. Make room on the disk; Dormouse goes on by itself.

certificate-wrong-name = it belongs to another name
certificate-expired = it has expired or is not valid yet
certificate-unknown-issuer = nobody this computer trusts has signed it
certificate-revoked = it has been revoked
certificate-invalid = it is not valid

## What is to be known once

notice-no-archive = Your server keeps no history: what arrives while Dormouse is not running may be lost.
notice-no-resumption = Your server can't hold a session across interruptions; Dormouse reads its archive instead.
notice-store-failed = Messages can't be stored on this computer ({ $why }). Make room on the disk; Dormouse goes on by itself.
notice-store-recovered = Messages are stored again.
notice-cache-set-aside = The local cache was damaged and has been set aside; it is being rebuilt from the server.
notice-cache-set-aside-saved = { $saved ->
        [one] The local cache was damaged and has been set aside; { $saved } unsent message was saved, the rest is being rebuilt from the server.
       *[other] The local cache was damaged and has been set aside; { $saved } unsent messages were saved, the rest is being rebuilt from the server.
    }
notice-unreadable = { $count ->
        [one] { $count } message could not be read and is marked in place.
       *[other] { $count } messages could not be read and are marked in place.
    }
cannot-nothing-said = There is nothing in this message.
cannot-not-connected = That can only be done while you are connected. Try again then.
cannot-no-blocking = Your server can't block people. You can remove them from your contacts.
cannot-blocking-refused = Your server refused to change whom you block. Try again later.
cannot-not-yours = That is not a message of yours.
cannot-withdrawn = That message has been withdrawn.
cannot-nameless = That message has no id by which others know it.
cannot-already-sent = That message has been sent; it can only be withdrawn.
cannot-not-failed = That message has not failed.

## Why a message was not sent

failure-unavailable = They can't receive messages at the moment.
failure-nobody = There is nobody with this address.
failure-server-unreachable = Their server can't be reached.
failure-not-let-through = Their server does not let this message through.
failure-came-back = It came back ({ $condition }).
failure-saying = { $sentence } The server says: “{ $text }”
failure-contact-removed = The contact was removed before it was sent.
failure-too-large = It is larger than your server takes.

## What stands for a message that can't be shown

content-encrypted = This message is encrypted with { $name }, which Dormouse can't read yet.
content-unreadable = A message that could not be read ({ $what }).
content-retracted = The message was withdrawn.

## What is suspicious about a name

warning-name-is-another-address = The name is an address, and not theirs: { $address }.
warning-imitates = Looks almost like { $address }. Make sure that this is who you think it is.
warning-bidi = The name had signs in it that turn the direction of text. They have been taken out.
warning-mixed-scripts = The name mixes letters of different scripts, as imitations do.

## Signing in and out

refusal-address = This is not an address. It looks like name@example.org.
refusal-address-without-name = The part before the @ is missing. An address looks like name@example.org.
refusal-password-missing = Enter your password.
refusal-too-long = This is too long.
refusal-endpoint = This endpoint can't be used: { $what }. It looks like wss://example.org/xmpp-websocket.
refusal-proxy = This proxy can't be used: { $what }. It looks like http://proxy.example:3128 or socks5://127.0.0.1:9050.
refusal-proxy-user = Enter the user for this proxy, without a colon in it.
refusal-signed-in-already = { $address } is signed in already.
refusal-took-too-long = The server did not let us in within a minute. Try again later.
refusal-ended = Dormouse stopped working on this account. Try again; the log says what happened.
refusal-not-signed-in = { $address } is not signed in.

start-in-use = Another Dormouse is using this account on this computer. Close it, then try again.
start-newer = A newer Dormouse wrote what is kept of this account. Use that one, or update this one.
start-disk-full = The disk is full. Make room, then try again.
start-folder = The folder of this account can't be used ({ $why }). Check that it may be written, then try again.
start-unreadable = What is kept of this account can't be read ({ $why }). Try again.
start-system = The system refused what Dormouse needs to run ({ $why }). Try again.

keyring-missing = This computer has no keyring that works here, so the password can't be kept. Dormouse asks for it at each start.
keyring-locked = The keyring is locked, so the password can't be kept. Unlock it, or Dormouse asks at each start.
keyring-failed = The keyring failed ({ $why }), so the password can't be kept. Dormouse asks for it at each start.
keyring-slow = The keyring does not answer. If it asks for something, answer it there.
keyring-empty = Enter your password: the keyring does not hold it.
wants-missing = Enter your password: this computer has no keyring that could keep it.
wants-locked = Enter your password, or unlock the keyring and start Dormouse again.
wants-failed = Enter your password: the keyring failed ({ $why }).
forget-failed = The keyring did not give up the password ({ $why }), so you are still signed in. Unlock the keyring, then sign out again.
registry-failed = The list of accounts can't be written ({ $why }). Make room on the disk or check the folder, then try again.
cache-not-removed = You are signed out, but what was kept of { $address } could not be removed ({ $why }).

## What the window asked for and can't have

ask-too-long = This is too long to be sent: at most { $limit } kilobytes.
ask-empty = There is nothing in this message.
ask-place = There is no such place in the conversation.
ask-history = The history can't be read ({ $why }). Try again.
metrics-refused = The metrics can't be given out at this port ({ $why }). Choose another port.
metrics-port = A port is a number from 1024 to 65535.
ask-crash = The reports of crashes can't be read ({ $why }). They are in the folder “crashes” of Dormouse's data.
ask-export = The file can't be written ({ $why }). Make room on the disk, or look at the folder for downloads.
ask-connection = The connection's history can't be read ({ $why }). Try again.
ask-check = No check has been made since Dormouse was started. Make one first.
ask-link = This link can't be opened: only web pages, mail addresses and chat addresses can.
ask-link-failed = The link can't be opened: the system found no program for it.

## Notifications

notification-title = { $count ->
        [one] { $name }
       *[other] { $name } ({ $count })
    }
notification-open = Open
notification-read = Mark as read
notification-reply = Reply
notification-summary = { $count } new messages in { $conversations } conversations

## What a connection's history shows

finding-idle-timeout = The connection was ended { $times } times after { $seconds } s of silence: probably the idle timeout of a proxy or router. Dormouse asks more often now; whoever runs the proxy can allow longer silence.
finding-lifetime = The connection was ended { $times } times { $seconds } s after it was made, whatever passed on it: probably something in between allows a connection only so long. Nothing is lost by it.
finding-zombies = { $times } times within a day the connection looked open and carried nothing: probably a router or firewall forgot it without a word. Dormouse noticed and made a new one.
finding-cycles = The server accepted the connection and ended it again { $times } times within { $minutes } minutes. The last time: { $cause }
finding-long-connecting = For { $minutes } minutes no connection has come about. The last attempt: { $cause }
finding-same-time = On { $days } days the connection ended at about { $time } UTC: probably something that the server does at that time.

manner-code = code { $code }
manner-silent = no answer
manner-by-the-server = the server’s word
manner-by-us = given up here

history-code = Close code { $code }.
history-wait = Next attempt ({ $attempt }) in { $wait } s at most.
history-attempt = Attempt { $attempt }.
history-recovered-old = { $messages ->
        [0] Back after { $seconds } s on the old connection.
        [one] Back after { $seconds } s on the old connection, with { $messages } message.
       *[other] Back after { $seconds } s on the old connection, with { $messages } messages.
    }
history-recovered-resumed = { $messages ->
        [0] Back after { $seconds } s with the earlier session.
        [one] Back after { $seconds } s with the earlier session, with { $messages } message.
       *[other] Back after { $seconds } s with the earlier session, with { $messages } messages.
    }
history-recovered-fresh = { $messages ->
        [0] Back after { $seconds } s with a new session.
        [one] Back after { $seconds } s with a new session, with { $messages } message.
       *[other] Back after { $seconds } s with a new session, with { $messages } messages.
    }

## The tray

tray-unread = { $n ->
    [one] Dormouse: { $n } new message
   *[other] Dormouse: { $n } new messages
}
tray-open = Open Dormouse
tray-quit = Quit
tray-nobody = Not signed in

## Links from outside

link-write = A link from outside Dormouse wants you to write to { $address }.
link-write-this = A link from outside Dormouse wants you to write this to { $address }. You can change it before you send it.
link-add = A link from outside Dormouse wants you to add { $address } as a contact.
link-join = A link from outside Dormouse invites you into the room { $address }. Dormouse can't take part in rooms yet.
link-other = A link from outside Dormouse wants something that Dormouse doesn't do (“{ $what }”).
link-nonsense = A link from outside Dormouse names nobody: nothing was done.

## A new version

update-not-signed = The new version is not signed by whoever makes Dormouse, so it was not installed. The one you have goes on. Try again later; if it stays so, tell whoever you have Dormouse from.
update-other-version = What came is not the version that was announced, so it was not installed. The one you have goes on. Try again later; if it stays so, tell whoever you have Dormouse from.
update-not-downloaded = The new version could not be downloaded ({ $why }). The one you have goes on. Check the network and try again.
update-not-replaced = The new version could not be put in place ({ $why }). The one you have goes on. See whether the disk has room and you may write where Dormouse is, then try again.
update-none = There is no new version to be installed at the moment.

## Dormouse on the desktop

autostart-failed = Whether Dormouse starts with the session can't be seen to ({ $why }). Look at the desktop's own settings.
quiet-hours = Quiet hours begin at one time and end at another.
