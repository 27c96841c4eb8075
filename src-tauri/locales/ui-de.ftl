# Die Wörter des Fensters. Schlüssel und Argumente sind in jeder Sprache gleich (ein Test vergleicht sie); $n
# entscheidet über die Mehrzahl.

## Anmelden

ui-sign-in-title = Willkommen bei Dormouse
ui-sign-in-lead = Melde dich mit deinem XMPP-Konto an.
ui-address = Adresse
ui-address-example = du@example.org
ui-password = Passwort
ui-advanced = Erweitert
ui-endpoint = Server-Endpunkt
ui-endpoint-hint = Nur nötig, wenn dein Server nicht von selbst gefunden wird. Beginnt mit wss://.
ui-endpoint-found = Von selbst gefunden
ui-proxy = Proxy
ui-proxy-system = Der des Systems
ui-proxy-never = Keiner
ui-proxy-given = Dieser
ui-proxy-address = Adresse des Proxys
ui-proxy-address-hint = Beginnt mit http:// oder socks5://. Der von Tor ist socks5://127.0.0.1:9050.
ui-proxy-user = Benutzer beim Proxy
ui-proxy-password = Passwort beim Proxy
ui-error-proxy-empty = Bitte gib die Adresse des Proxys ein.
ui-sign-in = Anmelden
ui-signing-in = Anmeldung läuft…
ui-error-address-empty = Bitte gib eine Adresse ein, etwa du@example.org.
ui-error-password-empty = Bitte gib das Passwort ein.

## Die Verbindung

ui-connection = Verbindung
ui-connection-asleep = Im Ruhezustand
ui-connection-offline = Kein Netz
ui-connection-connecting = Verbinden
ui-connection-signing-in = Anmelden
ui-connection-catching-up = Nachholen
ui-connection-live = Verbunden
ui-connection-suspect = Wird geprüft
ui-connection-waiting = Gleich wieder da
ui-connection-stopped = Nicht verbunden
ui-banner-asleep = Im Ruhezustand seit { $since }.
ui-banner-offline = Kein Netz. Was du schreibst, wird gesendet, sobald es wieder da ist.
ui-banner-connecting = Die Verbindung wird aufgebaut… Was du schreibst, wird dann gesendet.
ui-banner-asleep-connecting = Im Ruhezustand seit { $since }, die Verbindung wird aufgebaut…
ui-banner-catching-up = Verpasstes wird nachgeholt…
ui-banner-catching-up-some = { $n ->
    [one] Verpasstes wird nachgeholt: bisher { $n } Nachricht
   *[other] Verpasstes wird nachgeholt: bisher { $n } Nachrichten
}
ui-banner-catching-up-of = { $n ->
    [one] Verpasstes wird nachgeholt: { $stored } von { $n } Nachricht
   *[other] Verpasstes wird nachgeholt: { $stored } von { $n } Nachrichten
}
ui-banner-asleep-catching-up = Im Ruhezustand seit { $since }, Verpasstes wird nachgeholt…
ui-banner-asleep-catching-up-some = { $n ->
    [one] Im Ruhezustand seit { $since }, Verpasstes wird nachgeholt: bisher { $n } Nachricht
   *[other] Im Ruhezustand seit { $since }, Verpasstes wird nachgeholt: bisher { $n } Nachrichten
}
ui-banner-asleep-catching-up-of = { $n ->
    [one] Im Ruhezustand seit { $since }, Verpasstes wird nachgeholt: { $stored } von { $n } Nachricht
   *[other] Im Ruhezustand seit { $since }, Verpasstes wird nachgeholt: { $stored } von { $n } Nachrichten
}
ui-banner-suspect = Die Verbindung wird geprüft…
ui-banner-waiting = Gleich folgt der nächste Versuch.
ui-banner-back-in = { $n ->
    [one] Wieder da in { $n } s.
   *[other] Wieder da in { $n } s.
}
ui-banner-stopped = Nicht verbunden.
ui-banner-sign-in-again = Melde dich wieder an, um zu senden und zu empfangen.
ui-retry-now = Jetzt versuchen
ui-connection-explain = Die Verbindung erklären
ui-findings = Wonach das aussieht
ui-history = Verlauf
ui-history-range = Wie weit zurück
ui-history-hour = Stunde
ui-history-day = Tag
ui-history-week = Woche
ui-history-nothing = Noch ist nichts bekannt
ui-history-live = Verbunden
ui-history-suspect = Wird geprüft
ui-history-away = Nicht verbunden
ui-history-stopped = Braucht dich
ui-history-offline = Kein Netz
ui-history-asleep = Schlaf
ui-history-not-running = Lief nicht
ui-path-endpoint = Server
ui-path-peer = Erreicht unter
ui-path-tls = Verschlüsselung
ui-path-tls-none = Keine: sie verlässt diesen Computer nicht
ui-path-mechanism = Angemeldet mit
ui-path-session = Sitzung
ui-path-resumed = Die frühere, fortgesetzt
ui-path-fresh = Eine neue
ui-path-round-trip = Antwortzeit
ui-path-round-trip-is = { $now } ms jetzt, { $median } ms meist, { $worst } ms im schlimmsten Fall
ui-path-heard = Letztes Byte
ui-path-ago = vor { $span }
ui-path-interval = Nachgefragt nach
ui-path-interval-is = { $n ->
    [one] { $n } s Stille
   *[other] { $n } s Stille
}
ui-path-interval-learnt = { $n ->
    [one] { $n } s Stille: längere Stille hat hier Verbindungen beendet
   *[other] { $n } s Stille: längere Stille hat hier Verbindungen beendet
}
ui-path-heard-late = Vor { $span }: länger, als es sein sollte. Dormouse fragt nach und wählt neu, wenn niemand antwortet.
ui-interval-by-itself = Wie das Netz es zulässt
ui-interval-seconds = { $n ->
    [one] Nach { $n } s, überall
   *[other] Nach { $n } s, überall
}
ui-interval = Nach so viel Stille nachfragen
ui-losses = Verlorene Verbindungen dieser Woche
ui-losses-hour = Stunde
ui-losses-count = Anzahl
ui-losses-how = Wie sie endeten
ui-changes = Was geschah
ui-frames = Frames
ui-frames-open = Die Frames ansehen …
ui-frames-lead = Was zwischen diesem Computer und dem Server hin- und hergeht, für alle, die einen Fehler suchen. Es liegt nur im Arbeitsspeicher und wird vergessen, wenn du es ausschaltest oder Dormouse endet.
ui-frames-off = Aus
ui-frames-kinds = Zeiten, Größen und Arten
ui-frames-content = Mit Inhalten: Texte und Geheimnisse sind geschwärzt, Adressen nicht
ui-frames-detail = Was festgehalten wird
ui-frames-filter = Nur Arten mit diesem Wort
ui-frames-count = { $n ->
    [one] { $n } Frame
   *[other] { $n } Frames
}
ui-frames-shown = { $n ->
    [one] Das letzte von { $all } Frames
   *[other] Die letzten { $n } von { $all } Frames
}
ui-frames-none = Noch ist nichts vorbeigekommen.
ui-frames-out = Zum Server
ui-frames-in = Vom Server
ui-frames-bytes = { $n } B
ui-frames-save-text = Als Text speichern
ui-frames-save-pcapng = Für Wireshark speichern
ui-frames-saved = Gespeichert als { $path }
ui-report = Ein Bericht
ui-report-open = Bericht …
ui-report-lead = Für alle, die Dormouse reparieren: Versionen, Einstellungen, Verbindung und Journal, ohne Namen, Nachrichten und Geheimnisse. Sieh ihn durch, bevor du ihn weitergibst; gesendet wird er nirgendwohin.
ui-report-copy = Kopieren
ui-report-copied = Kopiert.
ui-crash = Dormouse ist abgestürzt
ui-crash-lead = Dormouse ist abgestürzt ({ $time }). Was davon bekannt ist, wurde auf diesem Computer aufgeschrieben und nirgendwohin geschickt. Wenn du uns davon erzählst, kopiere den Bericht und schreib dazu, was du gerade getan hast.
ui-crash-report = Der Bericht
ui-crash-copy = Kopieren
ui-crash-keep = Behalten
ui-crash-forget = Löschen
ui-span-seconds = { $s } s
ui-span-minutes = { $m } min { $s } s
ui-span-hours = { $h } h { $m } min
ui-span-days = { $d } d { $h } h

## Menschen

ui-conversations = Unterhaltungen
ui-conversation = Unterhaltung
ui-filter = Unterhaltung suchen
ui-nobody-yet = Noch niemand hier. Füge jemanden mit Adresse hinzu, um zu schreiben.
ui-nobody-found = Niemand mit diesem Namen oder dieser Adresse.
ui-choose = Wähle eine Unterhaltung.
ui-divider = Breite der Liste
ui-back = Zurück zur Liste
ui-add-contact = Kontakt hinzufügen
ui-add-lead = Dein Kontakt wird gefragt, ob du sehen darfst, wann er online ist.
ui-name = Name
ui-name-optional = Name (nur du siehst ihn)
ui-add = Hinzufügen
ui-rename = Umbenennen
ui-rename-lead = Nur du siehst diesen Namen. Ist er leer, steht dort die Adresse.
ui-save = Speichern
ui-remove = Kontakt entfernen
ui-remove-title = { $name } entfernen?
ui-remove-text = Du siehst dann nicht mehr, wann der Kontakt online ist. Die Nachrichten bleiben.
ui-block = Blockieren
ui-block-title = { $name } blockieren?
ui-block-text = Nichts von dort erreicht dich mehr, und dort ist nicht zu sehen, ob du online bist. Du kannst die Blockierung jederzeit aufheben.
ui-unblock = Blockierung aufheben
ui-unblock-who = Blockierung von { $name } aufheben
ui-blocked = Blockiert
ui-blocked-people = Blockiert
ui-blocked-sentence = Du hast diesen Kontakt blockiert.
ui-copy-address = Adresse kopieren
ui-conversation-menu = Mehr zu dieser Unterhaltung
ui-requests = Anfragen
ui-request = { $name } möchte sehen, wann du online bist.
ui-accept = Annehmen
ui-decline = Ablehnen
ui-stranger = Kein Kontakt
ui-draft = Entwurf
ui-unread = { $n ->
    [one] { $n } ungelesene Nachricht
   *[other] { $n } ungelesene Nachrichten
}
ui-you-wrote = Du: { $text }
ui-presence-online = Online
ui-presence-away = Abwesend
ui-presence-do-not-disturb = Bitte nicht stören
ui-presence-extended-away = Länger abwesend
ui-presence-offline = Offline
ui-presence-unknown = Unbekannt
ui-presence-asked = Noch keine Antwort

## Nachrichten

ui-you = Du
ui-messages-with = Nachrichten mit { $name }
ui-no-messages-yet = Noch keine Nachrichten
ui-loading = Nachrichten werden geladen…
ui-loading-older = Ältere Nachrichten werden geladen…
ui-older-offline = Ältere Nachrichten können geladen werden, sobald du verbunden bist.
ui-row-beginning = Hier beginnt die Unterhaltung.
ui-row-gap = Hier fehlen vielleicht Nachrichten. Sie werden geladen, sobald du verbunden bist.
ui-row-new = Neu
ui-to-latest = Zu den neuesten
ui-new-messages = { $n ->
    [one] { $n } neue Nachricht
   *[other] { $n } neue Nachrichten
}
ui-typing = { $name } schreibt…
ui-typing-short = schreibt…
ui-delivery-queued = Wartet auf das Senden
ui-delivery-sent = Gesendet
ui-delivery-delivered = Zugestellt
ui-delivery-read = Gelesen
ui-delivery-failed = Nicht gesendet
ui-retry = Erneut senden
ui-discard = Verwerfen
ui-edited = Bearbeitet
ui-retracted = Diese Nachricht wurde zurückgezogen.
ui-show-all = { $n ->
    [one] Alles zeigen ({ $n } Zeichen)
   *[other] Alles zeigen ({ $n } Zeichen)
}
ui-message-menu = Mehr zu dieser Nachricht
ui-copy = Text kopieren
ui-edit = Bearbeiten
ui-retract = Zurückziehen

## Schreiben

ui-composer = Nachricht schreiben
ui-composer-hint = Eingabe sendet, Umschalt und Eingabe beginnen eine neue Zeile.
ui-send = Senden
ui-editing = Nachricht wird bearbeitet. Esc bricht ab.
ui-cancel = Abbrechen

## Das Konto

ui-account = Konto
ui-since = seit { $time }.
ui-sign-out = Abmelden
ui-sign-out-lead = Dein Passwort wird von diesem Computer entfernt.
ui-sign-out-forget = Auch die Nachrichten auf diesem Computer löschen, auch noch nicht gesendete
ui-metrics = Messwerte
ui-metrics-give = Messwerte für Prometheus auf diesem Computer abgeben
ui-metrics-port = Port
ui-metrics-off = Wie es der Verbindung geht, in Zahlen: keine Namen, keine Nachrichten.
ui-metrics-at = Zu lesen unter { $address }, nur auf diesem Computer.
ui-version = Dormouse { $version }
ui-close = Schließen
ui-notices = Hinweise
ui-dismiss = Ausblenden

## Das Fenster schließen

ui-closing = Dormouse schließen?
ui-closing-lead = Dieser Arbeitsplatz hat keine Leiste, aus der sich das Fenster wieder öffnen ließe. Verkleinert empfängt Dormouse weiter Nachrichten.
ui-closing-again = Gefragt wirst du einmal; danach macht Dormouse es immer so.
ui-closing-minimise = Minimieren
ui-quit = Dormouse beenden

## Eine neue Version

ui-update = Neue Version
ui-update-offered = Dormouse { $version } ist da.
ui-update-installing = Dormouse { $version } wird heruntergeladen. Danach startet Dormouse neu.
ui-update-notes = Was ist neu
ui-update-install = Installieren und neu starten
ui-update-again = Noch einmal versuchen
ui-update-later = Später

## Ein Link von außen

ui-link = Ein Link wurde geöffnet
ui-link-write = Schreiben
ui-link-add = Kontakt hinzufügen…
ui-link-sign-in = Melde dich erst an und öffne den Link dann noch einmal.

## Dormouse auf dem Arbeitsplatz

ui-desktop = Arbeitsplatz
ui-desktop-autostart = Mit der Sitzung starten, ohne Fenster
ui-desktop-sound = Benachrichtigungen mit Ton
ui-desktop-quiet = Ruhezeiten ohne Benachrichtigungen
ui-desktop-from = Von
ui-desktop-to = bis
ui-desktop-closing = Wo es keine Leiste gibt, heißt Schließen
ui-desktop-closing-ask = nachfragen
ui-desktop-closing-minimise = minimieren
ui-desktop-closing-quit = Dormouse beenden
ui-mute = Stummschalten
ui-unmute = Wieder benachrichtigen
ui-muted = Stumm
