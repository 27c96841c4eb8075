# Was eine Prüfung der Verbindung sagt; siehe check-en.ftl.

## Die Schritte

check-step-name = Name
check-step-discovery = Auffinden
check-step-tcp = TCP
check-step-proxy = Proxy
check-step-tls = Verschlüsselung
check-step-websocket = WebSocket
check-step-sign-in = Anmeldung
check-step-resumption = Fortsetzung
check-step-archive = Archiv
check-step-round-trip = Umlauf
check-step-idle = Stille
check-step-sleep = Vorgetäuschter Schlaf

check-state-to-come = kommt noch
check-state-under-way = läuft
check-state-fine = geht
check-state-lacking = geht, etwas fehlt
check-state-failed = geht nicht
check-state-not-needed = nicht nötig
check-state-not-tried = nicht versucht
check-not-tried = Nicht versucht: Was dafür nötig ist, ging nicht.
check-cancelled = Nicht versucht: Die Prüfung wurde vorher beendet.

check-verdict-fine = Was versucht wurde, geht.
check-verdict-lacking = Es geht; etwas fehlt.
check-verdict-failed = Etwas geht nicht.
check-verdict-cancelled = Die Prüfung wurde vor ihrem Ende beendet.

## Was ein Schritt ergeben hat

check-addresses = { $host } führt zu { $addresses }.
check-is-address = Der Endpunkt ist durch seine Adresse gegeben, { $address }: Kein Name wird aufgelöst.
check-no-names = Kein Name lässt sich auflösen: Meist fehlt das Netz. Prüfe, ob dieser Computer verbunden ist.
check-left-to-proxy = Namen löst der Proxy auf: Hier wird keiner aufgelöst.
check-given = Der Endpunkt ist vorgegeben: { $endpoint }.
check-named = Die Domain nennt ihren Endpunkt: { $endpoint }.
check-named-another = Die Domain nennt ihren Endpunkt: { $endpoint }. Bisher war es { $before }; Dormouse stellt sich von selbst um.
check-only-remembered = Die Domain nennt ihren Endpunkt nicht. ({ $cause }) Versucht wird, was früher ging: { $endpoint }. Sage es dem Betreiber des Servers.
check-reached = Es antwortet { $address } ({ $family }), Port { $port }.
check-refused = Unter { $endpoint } hört niemand zu: Der Server läuft nicht, oder eine Firewall steht davor. Versuche es später, oder frage den Betreiber.
check-given-not-found = Einen Namen wie in { $endpoint } gibt es nicht. Prüfe den angegebenen Endpunkt.
check-endpoint-not-found = Die Domain nennt { $endpoint }, und einen solchen Namen gibt es nicht. Sage es dem Betreiber des Servers.
check-no-proxy = Kein Proxy dazwischen.
check-through = { $proxy } hat den Weg zum Server geöffnet.
check-secured = { $version }; dem Zertifikat vertraut dieser Computer.
check-secured-by = { $version }; dem Zertifikat vertraut dieser Computer, ausgestellt hat es „{ $issuer }“.
check-plain = Nicht verschlüsselt: Es verlässt diesen Computer nicht.
check-upgraded = HTTP 101, mit dem Unterprotokoll xmpp.
check-signed-in = Angemeldet mit { $mechanism }, { $flights }.
check-resumed = Die Verbindung wurde ohne Abschied abgebrochen und ihre Sitzung fortgesetzt, { $flights }.
check-one-flight = in einem Zug
check-step-by-step = { $count ->
        [one] Schritt für Schritt in { $count } Umlauf
       *[other] Schritt für Schritt in { $count } Umläufen
    }
check-not-resumable = Der Server hält Sitzungen abgerissener Verbindungen nicht (XEP-0198). Dormouse liest stattdessen sein Archiv, was länger dauert; bitte den Betreiber darum.
check-session-gone = Der Server hatte die Sitzung der abgerissenen Verbindung nicht mehr, obwohl er es zugesagt hat. Dormouse liest stattdessen sein Archiv; sage es dem Betreiber.
check-archive = Das Archiv hat seinen neuesten Eintrag gegeben.
check-archive-empty = Es gibt ein Archiv, und noch steht nichts darin.
check-no-archive = Der Server führt kein Archiv (XEP-0313): Was ankommt, während Dormouse nicht läuft, kann verloren gehen. Bitte den Betreiber um eines.
check-archive-refused = Das Archiv hat nichts gegeben ({ $condition }). Sage es dem Betreiber des Servers.
check-round-trips = Meist { $median }, schlimmstenfalls { $worst }, bei { $count } Versuchen.
check-held = Nach { $seconds } s Stille antwortet die Verbindung noch.
check-held-broken = Nach { $seconds } s antwortet die Verbindung noch. Aber der Server hat sich von selbst gemeldet: Länger als { $longest } s war es nie still.
check-idle-timeout = Die Verbindung wurde nach { $seconds } s Stille beendet (Code { $code }): wahrscheinlich die Leerlaufgrenze eines Proxys oder Routers. Dormouse lernt, vorher nachzufragen; wer den Proxy betreibt, kann längere Stille erlauben.
check-forgotten = Nach { $seconds } s Stille sah die Verbindung offen aus und trug nichts mehr: Wahrscheinlich hat ein Router oder eine Firewall sie vergessen. Dormouse lernt, öfter nachzufragen; wer ihn betreibt, kann längere Stille erlauben.
check-recovered-old = { $messages ->
        [0] { $slept } s abgeschnitten; nach { $took } auf der alten Verbindung zurück.
        [one] { $slept } s abgeschnitten; nach { $took } auf der alten Verbindung zurück, mit { $messages } Nachricht von anderen.
       *[other] { $slept } s abgeschnitten; nach { $took } auf der alten Verbindung zurück, mit { $messages } Nachrichten von anderen.
    }
check-recovered-resumed = { $messages ->
        [0] { $slept } s abgeschnitten; nach { $took } auf einer neuen Verbindung mit der früheren Sitzung zurück.
        [one] { $slept } s abgeschnitten; nach { $took } auf einer neuen Verbindung mit der früheren Sitzung zurück, mit { $messages } Nachricht von anderen.
       *[other] { $slept } s abgeschnitten; nach { $took } auf einer neuen Verbindung mit der früheren Sitzung zurück, mit { $messages } Nachrichten von anderen.
    }
check-recovered-fresh = { $messages ->
        [0] { $slept } s abgeschnitten; nach { $took } mit einer neuen Sitzung zurück.
        [one] { $slept } s abgeschnitten; nach { $took } mit einer neuen Sitzung zurück, mit { $messages } Nachricht von anderen.
       *[other] { $slept } s abgeschnitten; nach { $took } mit einer neuen Sitzung zurück, mit { $messages } Nachrichten von anderen.
    }
check-not-live = Es gibt keine Verbindung, die sich abschneiden ließe. { $cause }
check-not-back = { $seconds } s nach dem vorgetäuschten Schlaf war die Verbindung noch nicht zurück. { $cause }
check-length-nothing = <1 ms
check-length-millis = { $millis } ms
check-length-seconds = { $seconds },{ $tenths } s

## Die eigenen Wörter des Fensters

ui-check = Verbindung prüfen
ui-check-lead = Schritt für Schritt, auf einer eigenen Verbindung: was geht und was nicht.
ui-check-idle = Stille versuchen
ui-check-sleep = Schlaf vortäuschen
ui-check-none = Nicht
ui-check-seconds = { $n ->
    [one] { $n } Sekunde
   *[other] { $n } Sekunden
}
ui-check-minutes = { $n ->
    [one] { $n } Minute
   *[other] { $n } Minuten
}
ui-check-begin = Prüfen
ui-check-cancel = Beenden
ui-check-steps = Schritte
ui-check-copy = Bericht kopieren
ui-check-copied = Der Bericht ist in der Zwischenablage.
ui-check-with-server = Den Server darin nennen
