# The window's own words. Keys and arguments are the same in every language (a test compares them); $n decides the
# plural form.

## Signing in

ui-sign-in-title = Welcome to Dormouse
ui-sign-in-lead = Sign in with your XMPP account.
ui-address = Address
ui-address-example = you@example.org
ui-password = Password
ui-advanced = Advanced
ui-endpoint = Server endpoint
ui-endpoint-hint = Only needed if your server can’t be found by itself. It begins with wss://.
ui-endpoint-found = Found by itself
ui-proxy = Proxy
ui-proxy-system = The system’s
ui-proxy-never = None
ui-proxy-given = This one
ui-proxy-address = Address of the proxy
ui-proxy-address-hint = It begins with http:// or socks5://. Tor’s is socks5://127.0.0.1:9050.
ui-proxy-user = User at the proxy
ui-proxy-password = Password at the proxy
ui-error-proxy-empty = Please enter the address of the proxy.
ui-sign-in = Sign in
ui-signing-in = Signing in…
ui-error-address-empty = Please enter an address, such as you@example.org.
ui-error-password-empty = Please enter the password.

## The connection

ui-connection = Connection
ui-connection-asleep = Asleep
ui-connection-offline = No network
ui-connection-connecting = Connecting
ui-connection-signing-in = Signing in
ui-connection-catching-up = Catching up
ui-connection-live = Connected
ui-connection-suspect = Checking
ui-connection-waiting = Reconnecting soon
ui-connection-stopped = Not connected
ui-banner-asleep = Asleep since { $since }.
ui-banner-offline = No network. What you write is sent when it is back.
ui-banner-connecting = Connecting… What you write is sent then.
ui-banner-asleep-connecting = Asleep since { $since }, connecting…
ui-banner-catching-up = Catching up…
ui-banner-catching-up-some = { $n ->
    [one] Catching up: { $n } message so far
   *[other] Catching up: { $n } messages so far
}
ui-banner-catching-up-of = { $n ->
    [one] Catching up: { $stored } of { $n } message
   *[other] Catching up: { $stored } of { $n } messages
}
ui-banner-asleep-catching-up = Asleep since { $since }, catching up…
ui-banner-asleep-catching-up-some = { $n ->
    [one] Asleep since { $since }, catching up: { $n } message so far
   *[other] Asleep since { $since }, catching up: { $n } messages so far
}
ui-banner-asleep-catching-up-of = { $n ->
    [one] Asleep since { $since }, catching up: { $stored } of { $n } message
   *[other] Asleep since { $since }, catching up: { $stored } of { $n } messages
}
ui-banner-suspect = Checking the connection…
ui-banner-waiting = Trying again soon.
ui-banner-back-in = { $n ->
    [one] Back in { $n } s.
   *[other] Back in { $n } s.
}
ui-banner-stopped = Not connected.
ui-banner-sign-in-again = Sign in again to send and receive.
ui-retry-now = Retry now
ui-connection-explain = Explain the connection
ui-findings = What this looks like
ui-history = History
ui-history-range = How far back
ui-history-hour = Hour
ui-history-day = Day
ui-history-week = Week
ui-history-nothing = Nothing is known yet
ui-history-live = Connected
ui-history-suspect = Checking
ui-history-away = Not connected
ui-history-stopped = Needs you
ui-history-offline = No network
ui-history-asleep = Asleep
ui-history-not-running = Not running
ui-path-endpoint = Server
ui-path-peer = Reached at
ui-path-tls = Encryption
ui-path-tls-none = None: it does not leave this computer
ui-path-mechanism = Signed in with
ui-path-session = Session
ui-path-resumed = The earlier one, resumed
ui-path-fresh = A new one
ui-path-round-trip = Round trip
ui-path-round-trip-is = { $now } ms now, { $median } ms usually, { $worst } ms at worst
ui-path-heard = Last byte
ui-path-ago = { $span } ago
ui-path-interval = Asked after
ui-path-interval-is = { $n ->
    [one] { $n } s of silence
   *[other] { $n } s of silence
}
ui-path-interval-learnt = { $n ->
    [one] { $n } s of silence: longer silence has ended connections here
   *[other] { $n } s of silence: longer silence has ended connections here
}
ui-path-heard-late = { $span } ago: longer than it should be. Dormouse is asking, and dials anew if nobody answers.
ui-interval-by-itself = As the network allows
ui-interval-seconds = { $n ->
    [one] After { $n } s, everywhere
   *[other] After { $n } s, everywhere
}
ui-interval = Ask after so much silence
ui-losses = Lost connections this week
ui-losses-hour = Hour
ui-losses-count = Times
ui-losses-how = How they ended
ui-changes = What happened
ui-frames = Frames
ui-frames-open = Look at the frames…
ui-frames-lead = What passes between this computer and the server, for whoever looks for a fault. It is kept in memory only and forgotten when you switch it off or Dormouse ends.
ui-frames-off = Off
ui-frames-kinds = Times, sizes and kinds
ui-frames-content = With contents: texts and secrets are blacked out, addresses are not
ui-frames-detail = What is noted
ui-frames-filter = Only kinds with this word
ui-frames-count = { $n ->
    [one] { $n } frame
   *[other] { $n } frames
}
ui-frames-shown = { $n ->
    [one] The last { $n } of { $all } frames
   *[other] The last { $n } of { $all } frames
}
ui-frames-none = Nothing has passed yet.
ui-frames-out = To the server
ui-frames-in = From the server
ui-frames-bytes = { $n } B
ui-frames-save-text = Save as text
ui-frames-save-pcapng = Save for Wireshark
ui-frames-saved = Saved as { $path }
ui-report = A report
ui-report-open = Report…
ui-report-lead = For whoever mends Dormouse: versions, settings, connection and journal, without names, messages or secrets. Look through it before you give it away; it is sent nowhere.
ui-report-copy = Copy
ui-report-copied = Copied.
ui-crash = Dormouse crashed
ui-crash-lead = Dormouse crashed ({ $time }). What is known of it was written down on this computer and sent nowhere. If you tell us of it, copy the report and add what you were doing.
ui-crash-report = The report
ui-crash-copy = Copy
ui-crash-keep = Keep it
ui-crash-forget = Delete it
ui-span-seconds = { $s } s
ui-span-minutes = { $m } min { $s } s
ui-span-hours = { $h } h { $m } min
ui-span-days = { $d } d { $h } h

## People

ui-conversations = Conversations
ui-conversation = Conversation
ui-filter = Find a conversation
ui-nobody-yet = Nobody here yet. Add somebody by their address to start talking.
ui-nobody-found = Nobody of that name or address.
ui-choose = Choose a conversation.
ui-divider = Width of the list
ui-back = Back to the list
ui-add-contact = Add contact
ui-add-lead = They are asked whether you may see when they are online.
ui-name = Name
ui-name-optional = Name (only you see it)
ui-add = Add
ui-rename = Rename
ui-rename-lead = Only you see this name. Leave it empty to see the address.
ui-save = Save
ui-remove = Remove contact
ui-remove-title = Remove { $name }?
ui-remove-text = You will no longer see when the other is online. The messages stay.
ui-block = Block
ui-block-title = Block { $name }?
ui-block-text = Nothing they send reaches you any more, and they can’t see whether you are online. You can unblock them at any time.
ui-unblock = Unblock
ui-unblock-who = Unblock { $name }
ui-blocked = Blocked
ui-blocked-people = Blocked
ui-blocked-sentence = You have blocked this person.
ui-copy-address = Copy address
ui-conversation-menu = More about this conversation
ui-requests = Requests
ui-request = { $name } wants to see when you are online.
ui-accept = Accept
ui-decline = Decline
ui-stranger = Not a contact
ui-draft = Draft
ui-unread = { $n ->
    [one] { $n } unread message
   *[other] { $n } unread messages
}
ui-you-wrote = You: { $text }
ui-presence-online = Online
ui-presence-away = Away
ui-presence-do-not-disturb = Do not disturb
ui-presence-extended-away = Away for longer
ui-presence-offline = Offline
ui-presence-unknown = Unknown
ui-presence-asked = Not answered yet

## Messages

ui-you = You
ui-messages-with = Messages with { $name }
ui-no-messages-yet = No messages yet
ui-loading = Loading messages…
ui-loading-older = Loading older messages…
ui-older-offline = Older messages can be loaded once you are connected.
ui-row-beginning = This is where it begins.
ui-row-gap = There may be more messages here. They are loaded once you are connected.
ui-row-new = New
ui-to-latest = To the latest
ui-new-messages = { $n ->
    [one] { $n } new message
   *[other] { $n } new messages
}
ui-typing = { $name } is typing…
ui-typing-short = typing…
ui-delivery-queued = Waiting to be sent
ui-delivery-sent = Sent
ui-delivery-delivered = Delivered
ui-delivery-read = Read
ui-delivery-failed = Not sent
ui-retry = Retry
ui-discard = Discard
ui-edited = Edited
ui-retracted = This message was withdrawn.
ui-show-all = { $n ->
    [one] Show all ({ $n } character)
   *[other] Show all ({ $n } characters)
}
ui-message-menu = More about this message
ui-copy = Copy text
ui-edit = Edit
ui-retract = Withdraw

## Writing

ui-composer = Write a message
ui-composer-hint = Enter sends, Shift and Enter begin a new line.
ui-send = Send
ui-editing = Editing a message. Esc cancels.
ui-cancel = Cancel

## The account

ui-account = Account
ui-since = since { $time }.
ui-sign-out = Sign out
ui-sign-out-lead = Your password is removed from this computer.
ui-sign-out-forget = Also delete the messages kept on this computer, and what has not been sent yet
ui-metrics = Metrics
ui-metrics-give = Give out metrics for Prometheus on this computer
ui-metrics-port = Port
ui-metrics-off = How the connection does, in figures: no names, no messages.
ui-metrics-at = To be read at { $address }, on this computer only.
ui-version = Dormouse { $version }
ui-close = Close
ui-notices = Notices
ui-dismiss = Dismiss

## Closing the window

ui-closing = Close Dormouse?
ui-closing-lead = This desktop has no tray from which the window could be opened again. Minimised, Dormouse goes on receiving messages.
ui-closing-again = You are asked once; Dormouse does the same from then on.
ui-closing-minimise = Minimise
ui-quit = Quit Dormouse

## A new version

ui-update = New version
ui-update-offered = Dormouse { $version } is here.
ui-update-installing = Dormouse { $version } is being downloaded. Dormouse then starts anew.
ui-update-notes = What is new
ui-update-install = Install and restart
ui-update-again = Try again
ui-update-later = Later

## A link from outside

ui-link = A link was opened
ui-link-write = Write
ui-link-add = Add contact…
ui-link-sign-in = Sign in first, then open the link again.

## Dormouse on the desktop

ui-desktop = Desktop
ui-desktop-autostart = Start with the session, hidden
ui-desktop-sound = Notifications make a sound
ui-desktop-quiet = Quiet hours, without notifications
ui-desktop-from = From
ui-desktop-to = to
ui-desktop-closing = Without a tray, closing the window
ui-desktop-closing-ask = asks what to do
ui-desktop-closing-minimise = minimises it
ui-desktop-closing-quit = quits Dormouse
ui-mute = Mute
ui-unmute = Notify again
ui-muted = Muted
