; xmpp: links are opened with Dormouse, for the user who installs it.
!macro NSIS_HOOK_POSTINSTALL
  WriteRegStr SHCTX "Software\Classes\xmpp" "" "URL:xmpp"
  WriteRegStr SHCTX "Software\Classes\xmpp" "URL Protocol" ""
  WriteRegStr SHCTX "Software\Classes\xmpp\DefaultIcon" "" '"$INSTDIR\dormouse.exe",0'
  WriteRegStr SHCTX "Software\Classes\xmpp\shell\open\command" "" '"$INSTDIR\dormouse.exe" "%1"'
!macroend

!macro NSIS_HOOK_PREUNINSTALL
  ; Another program's entry stays.
  ReadRegStr $0 SHCTX "Software\Classes\xmpp\shell\open\command" ""
  StrCmp $0 '"$INSTDIR\dormouse.exe" "%1"' 0 +2
  DeleteRegKey SHCTX "Software\Classes\xmpp"
!macroend
