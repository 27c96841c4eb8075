# Was die Hülle sagt; siehe en.ftl.

## Warum eine Verbindung in ihrem Zustand ist

cause-started = Dormouse wurde gestartet.
cause-user-asked = Auf deinen Wunsch.
cause-dialled = Der Server hat geantwortet.
cause-signed-in = Mit einer neuen Sitzung angemeldet.
cause-resumed = Die frühere Sitzung wurde fortgesetzt.
cause-caught-up = Alles Versäumte ist gelesen.
cause-answered = Der Server antwortet.
cause-suspending = Der Computer geht schlafen.
cause-woke = Der Computer ist aufgewacht.
cause-simulated-sleep = Ein vorgetäuschter Schlaf: Dormouse hat sich abgeschnitten, wie du es wolltest.
cause-simulated-wake = Der vorgetäuschte Schlaf ist vorbei.
cause-shown = Das Fenster wurde gezeigt.
cause-unlocked = Der Bildschirm wurde entsperrt.
cause-network-changed = Das Netz hat gewechselt.
cause-network-down = Es gibt kein Netz.
cause-network-up = Das Netz ist wieder da.
cause-slow-answer = Der Server antwortet langsam.
cause-no-answer = Der Server hat nicht rechtzeitig geantwortet.
cause-unacknowledged = Der Server hat eine Nachricht nicht rechtzeitig bestätigt.
cause-spare-ready = Eine neue Verbindung stand, bevor die alte geantwortet hat.
cause-backoff-over = Es ist Zeit für den nächsten Versuch.
cause-lost = Die Verbindung ist abgerissen.
cause-closed-by-server = Der Server hat die Verbindung geschlossen (Code { $code }).
cause-closed-by-server-saying = Der Server hat die Verbindung geschlossen (Code { $code }: „{ $reason }“).
cause-server-restarting = Der Server startet neu.
cause-throttled = Der Server bittet um eine langsamere Gangart.
cause-server-trouble = Der Server hat Schwierigkeiten ({ $what }).
cause-policy-violation = Der Server hat die Verbindung nach seinen Regeln abgelehnt.
cause-policy-violation-saying = Der Server hat die Verbindung nach seinen Regeln abgelehnt: „{ $text }“.
cause-conflict = Ein anderes Programm dieses Kontos hat die Sitzung übernommen.
cause-session-gone = Der Server hatte die frühere Sitzung nicht mehr.
cause-see-other = Der Server hat uns an { $host } verwiesen.
cause-protocol-violation = Der Server hat etwas Unverständliches geschickt ({ $what }).
cause-timed-out-discovery = Die Adresse des Servers ließ sich nicht rechtzeitig finden.
cause-timed-out-names = Die Namensauflösung hat zu lange gedauert.
cause-timed-out-tcp = Der Server war nicht rechtzeitig zu erreichen.
cause-timed-out-proxy = Der Proxy hat den Weg zum Server nicht rechtzeitig geöffnet.
cause-timed-out-tls = Der Server hat die Verschlüsselung nicht rechtzeitig ausgehandelt.
cause-timed-out-websocket = Der Server hat die Verbindung nicht rechtzeitig geöffnet.
cause-name-not-found = Es gibt keinen Server namens { $name }. Prüfe den Teil der Adresse hinter dem @.
cause-no-websocket = { $name } bietet keine Verbindung über WebSocket an. Frage den Betreiber, oder gib den Endpunkt selbst an, wenn du ihn kennst.
cause-bad-endpoint = Dieser Endpunkt ist nicht brauchbar: { $what }.
cause-unreachable = Der Server ist nicht zu erreichen.
cause-proxy-unreachable = Der Proxy { $proxy } ist nicht erreichbar. Prüfe das Netz und die Adresse des Proxys.
cause-proxy-wants-password = Der Proxy { $proxy } verlangt Benutzer und Passwort. Melde dich neu an und gib sie an.
cause-proxy-wrong-password = Der Proxy { $proxy } hat Benutzer oder Passwort abgelehnt. Melde dich mit den richtigen neu an.
cause-proxy-refused = Der Proxy { $proxy } lässt die Verbindung nicht durch ({ $answer }). Frage seinen Betreiber.
cause-proxy-cannot-reach = Der Proxy { $proxy } erreicht den Server nicht ({ $answer }).
cause-proxy-none = Was unter { $proxy } antwortet, ist kein solcher Proxy. Prüfe Adresse und Art.
cause-proxy-unusable = Die Einstellungen des Systems nennen einen Proxy, der nicht brauchbar ist ({ $proxy }). Dormouse kennt http:// und socks5://.
cause-bad-certificate = Dem Zertifikat des Servers ist nicht zu trauen: { $problem }. Mach nur weiter, wenn du weißt, warum; frage den Betreiber des Servers.
cause-intercepted = Dieses Netz fängt die Verbindung ab (das gezeigte Zertifikat ist nicht das deines Servers: { $problem }). Hat es eine Anmeldeseite, öffne sie in einem Browser.
cause-no-password = Dormouse braucht dein Passwort, um sich anzumelden.
cause-wrong-password = Der Server hat das Passwort abgelehnt. Prüfe die Adresse und melde dich noch einmal an.
cause-account-disabled = Der Server sagt, dass dieses Konto gesperrt ist. Frage den Betreiber.
cause-account-disabled-saying = Der Server sagt, dass dieses Konto gesperrt ist: „{ $text }“. Frage den Betreiber.
cause-no-safe-mechanism = Der Server bietet über diese Verbindung keine sichere Anmeldung an. Frage den Betreiber.
cause-server-not-genuine = Der Server konnte nicht beweisen, dass er der ist, zu dem dieses Konto gehört. Dormouse versucht es weiter; gib dein Passwort niemandem.
cause-store-failed = Was ankommt, lässt sich auf diesem Computer nicht speichern. Schaffe Platz auf der Festplatte; Dormouse macht dann von selbst weiter.

certificate-wrong-name = es gehört zu einem anderen Namen
certificate-expired = es ist abgelaufen oder noch nicht gültig
certificate-unknown-issuer = niemand, dem dieser Computer traut, hat es unterschrieben
certificate-revoked = es wurde widerrufen
certificate-invalid = es ist nicht gültig

## Was einmal zu wissen ist

notice-no-archive = Dein Server bewahrt keinen Verlauf auf: Was ankommt, während Dormouse nicht läuft, kann verloren gehen.
notice-no-resumption = Dein Server kann keine Sitzung über Unterbrechungen halten; Dormouse liest stattdessen sein Archiv.
notice-store-failed = Nachrichten lassen sich auf diesem Computer nicht speichern ({ $why }). Schaffe Platz auf der Festplatte; Dormouse macht dann von selbst weiter.
notice-store-recovered = Nachrichten werden wieder gespeichert.
notice-cache-set-aside = Der lokale Zwischenspeicher war beschädigt und wurde beiseitegelegt; er wird vom Server neu aufgebaut.
notice-cache-set-aside-saved = { $saved ->
        [one] Der lokale Zwischenspeicher war beschädigt und wurde beiseitegelegt; { $saved } ungesendete Nachricht wurde gerettet, der Rest wird vom Server neu aufgebaut.
       *[other] Der lokale Zwischenspeicher war beschädigt und wurde beiseitegelegt; { $saved } ungesendete Nachrichten wurden gerettet, der Rest wird vom Server neu aufgebaut.
    }
notice-unreadable = { $count ->
        [one] { $count } Nachricht war nicht zu lesen und ist an ihrer Stelle markiert.
       *[other] { $count } Nachrichten waren nicht zu lesen und sind an ihrer Stelle markiert.
    }
cannot-nothing-said = In dieser Nachricht steht nichts.
cannot-not-connected = Das geht nur, während du verbunden bist. Versuche es dann noch einmal.
cannot-no-blocking = Dein Server kann niemanden blockieren. Du kannst Personen aus deinen Kontakten entfernen.
cannot-blocking-refused = Dein Server hat die Änderung an den Blockierten abgelehnt. Versuche es später noch einmal.
cannot-not-yours = Das ist keine Nachricht von dir.
cannot-withdrawn = Diese Nachricht wurde zurückgezogen.
cannot-nameless = Diese Nachricht hat keine Kennung, unter der andere sie kennen.
cannot-already-sent = Diese Nachricht ist gesendet; sie lässt sich nur noch zurückziehen.
cannot-not-failed = Diese Nachricht ist nicht gescheitert.

## Warum eine Nachricht nicht gesendet wurde

failure-unavailable = Im Moment können dort keine Nachrichten empfangen werden.
failure-nobody = Unter dieser Adresse gibt es niemanden.
failure-server-unreachable = Der Server der Gegenseite ist nicht zu erreichen.
failure-not-let-through = Der Server der Gegenseite lässt diese Nachricht nicht durch.
failure-came-back = Sie kam zurück ({ $condition }).
failure-saying = { $sentence } Der Server sagt: „{ $text }“
failure-contact-removed = Der Kontakt wurde entfernt, bevor sie gesendet war.
failure-too-large = Sie ist größer, als dein Server annimmt.

## Was für eine Nachricht steht, die sich nicht zeigen lässt

content-encrypted = Diese Nachricht ist mit { $name } verschlüsselt; das kann Dormouse noch nicht lesen.
content-unreadable = Eine Nachricht, die nicht zu lesen war ({ $what }).
content-retracted = Die Nachricht wurde zurückgezogen.

## Was an einem Namen verdächtig ist

warning-name-is-another-address = Der Name ist eine Adresse, und zwar eine fremde: { $address }.
warning-imitates = Sieht fast aus wie { $address }. Vergewissere dich, wen du vor dir hast.
warning-bidi = Im Namen standen Zeichen, die die Schreibrichtung umkehren. Sie wurden entfernt.
warning-mixed-scripts = Der Name mischt Buchstaben verschiedener Schriften, wie es Nachahmungen tun.

## An- und Abmelden

refusal-address = Das ist keine Adresse. Eine Adresse sieht aus wie name@example.org.
refusal-address-without-name = Der Teil vor dem @ fehlt. Eine Adresse sieht aus wie name@example.org.
refusal-password-missing = Gib dein Passwort ein.
refusal-too-long = Das ist zu lang.
refusal-endpoint = Dieser Endpunkt ist nicht brauchbar: { $what }. Ein Endpunkt sieht aus wie wss://example.org/xmpp-websocket.
refusal-proxy = Dieser Proxy ist nicht brauchbar: { $what }. Ein Proxy sieht aus wie http://proxy.example:3128 oder socks5://127.0.0.1:9050.
refusal-proxy-user = Gib den Benutzer für diesen Proxy ein, ohne Doppelpunkt darin.
refusal-signed-in-already = { $address } ist schon angemeldet.
refusal-took-too-long = Der Server hat uns eine Minute lang nicht eingelassen. Versuche es später noch einmal.
refusal-ended = Dormouse hat die Arbeit an diesem Konto eingestellt. Versuche es noch einmal; das Protokoll sagt, was geschehen ist.
refusal-not-signed-in = { $address } ist nicht angemeldet.

start-in-use = Ein anderes Dormouse benutzt dieses Konto auf diesem Computer. Schließe es und versuche es dann noch einmal.
start-newer = Was von diesem Konto aufbewahrt ist, hat ein neueres Dormouse geschrieben. Benutze jenes, oder aktualisiere dieses.
start-disk-full = Die Festplatte ist voll. Schaffe Platz und versuche es dann noch einmal.
start-folder = Der Ordner dieses Kontos ist nicht brauchbar ({ $why }). Prüfe, ob er beschrieben werden darf, und versuche es dann noch einmal.
start-unreadable = Was von diesem Konto aufbewahrt ist, lässt sich nicht lesen ({ $why }). Versuche es noch einmal.
start-system = Das System verweigert, was Dormouse zum Laufen braucht ({ $why }). Versuche es noch einmal.

keyring-missing = Dieser Computer hat hier keinen brauchbaren Schlüsselbund, also lässt sich das Passwort nicht aufbewahren. Dormouse fragt bei jedem Start danach.
keyring-locked = Der Schlüsselbund ist verschlossen, also lässt sich das Passwort nicht aufbewahren. Schließe ihn auf, oder Dormouse fragt bei jedem Start.
keyring-failed = Der Schlüsselbund hat versagt ({ $why }), also lässt sich das Passwort nicht aufbewahren. Dormouse fragt bei jedem Start danach.
keyring-slow = Der Schlüsselbund antwortet nicht. Falls er etwas fragt, antworte ihm dort.
keyring-empty = Gib dein Passwort ein: Der Schlüsselbund enthält es nicht.
wants-missing = Gib dein Passwort ein: Dieser Computer hat keinen Schlüsselbund, der es aufbewahren könnte.
wants-locked = Gib dein Passwort ein, oder schließe den Schlüsselbund auf und starte Dormouse neu.
wants-failed = Gib dein Passwort ein: Der Schlüsselbund hat versagt ({ $why }).
forget-failed = Der Schlüsselbund hat das Passwort nicht hergegeben ({ $why }), deshalb bist du noch angemeldet. Schließe den Schlüsselbund auf und melde dich dann noch einmal ab.
registry-failed = Die Liste der Konten lässt sich nicht schreiben ({ $why }). Schaffe Platz auf der Festplatte oder prüfe den Ordner, und versuche es dann noch einmal.
cache-not-removed = Du bist abgemeldet, aber was von { $address } aufbewahrt war, ließ sich nicht entfernen ({ $why }).

## Was das Fenster verlangt hat und nicht haben kann

ask-too-long = Das ist zu lang zum Senden: höchstens { $limit } Kilobyte.
ask-empty = In dieser Nachricht steht nichts.
ask-place = Eine solche Stelle gibt es in der Unterhaltung nicht.
ask-history = Der Verlauf lässt sich nicht lesen ({ $why }). Versuche es noch einmal.
metrics-refused = Die Messwerte lassen sich an diesem Port nicht abgeben ({ $why }). Wähle einen anderen Port.
metrics-port = Ein Port ist eine Zahl von 1024 bis 65535.
ask-crash = Die Absturzberichte lassen sich nicht lesen ({ $why }). Sie liegen im Ordner „crashes“ in den Daten von Dormouse.
ask-export = Die Datei lässt sich nicht schreiben ({ $why }). Schaffe Platz auf der Platte oder sieh nach dem Ordner für Downloads.
ask-connection = Die Geschichte der Verbindung lässt sich nicht lesen ({ $why }). Versuche es noch einmal.
ask-check = Seit Dormouse gestartet wurde, gab es keine Prüfung. Mache erst eine.
ask-link = Dieser Link lässt sich nicht öffnen: nur Webseiten, E-Mail- und Chat-Adressen gehen.
ask-link-failed = Der Link lässt sich nicht öffnen: Das System hat kein Programm dafür gefunden.

## Benachrichtigungen

notification-title = { $count ->
        [one] { $name }
       *[other] { $name } ({ $count })
    }
notification-open = Öffnen
notification-read = Als gelesen markieren
notification-reply = Antworten
notification-summary = { $count } neue Nachrichten in { $conversations } Unterhaltungen

## Was die Geschichte einer Verbindung zeigt

finding-idle-timeout = Die Verbindung wurde { $times }-mal nach { $seconds } s Stille beendet: wahrscheinlich die Leerlaufgrenze eines Proxys oder Routers. Dormouse fragt jetzt öfter nach; wer den Proxy betreibt, kann längere Stille erlauben.
finding-lifetime = Die Verbindung wurde { $times }-mal { $seconds } s nach ihrem Beginn beendet, was auch auf ihr geschah: wahrscheinlich erlaubt etwas dazwischen eine Verbindung nur so lange. Verloren geht dabei nichts.
finding-zombies = { $times }-mal an einem Tag sah die Verbindung offen aus und trug nichts: wahrscheinlich hat ein Router oder eine Firewall sie wortlos vergessen. Dormouse hat es bemerkt und eine neue aufgebaut.
finding-cycles = Der Server hat die Verbindung in { $minutes } Minuten { $times }-mal angenommen und wieder beendet. Beim letzten Mal: { $cause }
finding-long-connecting = Seit { $minutes } Minuten kommt keine Verbindung zustande. Der letzte Versuch: { $cause }
finding-same-time = An { $days } Tagen endete die Verbindung gegen { $time } UTC: wahrscheinlich durch etwas, das der Server zu dieser Zeit tut.

manner-code = Code { $code }
manner-silent = keine Antwort
manner-by-the-server = Wort des Servers
manner-by-us = hier aufgegeben

history-code = Code { $code }.
history-wait = Nächster Versuch ({ $attempt }) in höchstens { $wait } s.
history-attempt = Versuch { $attempt }.
history-recovered-old = { $messages ->
        [0] Nach { $seconds } s auf der alten Verbindung zurück.
        [one] Nach { $seconds } s auf der alten Verbindung zurück, mit { $messages } Nachricht.
       *[other] Nach { $seconds } s auf der alten Verbindung zurück, mit { $messages } Nachrichten.
    }
history-recovered-resumed = { $messages ->
        [0] Nach { $seconds } s mit der früheren Sitzung zurück.
        [one] Nach { $seconds } s mit der früheren Sitzung zurück, mit { $messages } Nachricht.
       *[other] Nach { $seconds } s mit der früheren Sitzung zurück, mit { $messages } Nachrichten.
    }
history-recovered-fresh = { $messages ->
        [0] Nach { $seconds } s mit einer neuen Sitzung zurück.
        [one] Nach { $seconds } s mit einer neuen Sitzung zurück, mit { $messages } Nachricht.
       *[other] Nach { $seconds } s mit einer neuen Sitzung zurück, mit { $messages } Nachrichten.
    }

## Die Leiste

tray-unread = { $n ->
    [one] Dormouse: { $n } neue Nachricht
   *[other] Dormouse: { $n } neue Nachrichten
}
tray-open = Dormouse öffnen
tray-quit = Beenden
tray-nobody = Nicht angemeldet

## Links von außen

link-write = Ein Link von außerhalb möchte, dass du an { $address } schreibst.
link-write-this = Ein Link von außerhalb möchte, dass du dies an { $address } schreibst. Du kannst es ändern, bevor du es sendest.
link-add = Ein Link von außerhalb möchte, dass du { $address } zu deinen Kontakten hinzufügst.
link-join = Ein Link von außerhalb lädt dich in den Raum { $address } ein. Dormouse kann an Räumen noch nicht teilnehmen.
link-other = Ein Link von außerhalb möchte etwas, das Dormouse nicht tut („{ $what }“).
link-nonsense = Ein Link von außerhalb nennt niemanden: Es ist nichts geschehen.

## Eine neue Version

update-not-signed = Die neue Version ist nicht von denen unterschrieben, die Dormouse machen, und wurde deshalb nicht installiert. Die bisherige läuft weiter. Versuche es später noch einmal; bleibt es so, sag es denen, von denen du Dormouse hast.
update-other-version = Gekommen ist nicht die Version, die angekündigt war, deshalb wurde sie nicht installiert. Die bisherige läuft weiter. Versuche es später noch einmal; bleibt es so, sag es denen, von denen du Dormouse hast.
update-not-downloaded = Die neue Version ließ sich nicht herunterladen ({ $why }). Die bisherige läuft weiter. Prüfe das Netz und versuche es noch einmal.
update-not-replaced = Die neue Version ließ sich nicht an ihren Platz bringen ({ $why }). Die bisherige läuft weiter. Sieh nach, ob auf der Festplatte Platz ist und du dort schreiben darfst, wo Dormouse liegt, und versuche es dann noch einmal.
update-none = Im Moment gibt es keine neue Version zu installieren.

## Dormouse auf dem Arbeitsplatz

autostart-failed = Ob Dormouse mit der Sitzung startet, lässt sich nicht regeln ({ $why }). Sieh in den Einstellungen des Systems nach.
quiet-hours = Ruhezeiten beginnen zu einer Zeit und enden zu einer anderen.
