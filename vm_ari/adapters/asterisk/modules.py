"""The Asterisk modules that voicemail uses: a private instance loads these and no others.

An explicit list halves the start time and the memory of ``autoload=yes`` and keeps services
that nobody asked for off the machine.
"""

_APPLICATIONS = (
    "app_dial app_exec app_minivm app_mixmonitor app_originate app_playback app_record "
    "app_senddtmf app_stack app_stasis app_transfer app_verbose pbx_config"
)
_FUNCTIONS = (
    "func_base64 func_callerid func_channel func_cut func_dialplan func_env func_global "
    "func_logic func_pjsip_endpoint func_strings func_talkdetect func_timeout func_uri"
)
_MEDIA = (
    "bridge_builtin_features bridge_builtin_interval_features bridge_holding bridge_native_rtp "
    "bridge_simple bridge_softmix chan_bridge_media codec_a_mu codec_alaw codec_g722 codec_gsm "
    "codec_resample codec_ulaw format_gsm format_pcm format_sln format_wav "
    "format_wav_gsm res_musiconhold res_rtp_asterisk res_srtp res_timing_timerfd"
)
_SIP = (
    "chan_pjsip res_pjproject res_pjsip res_pjsip_acl res_pjsip_authenticator_digest "
    "res_pjsip_caller_id res_pjsip_diversion res_pjsip_dlg_options res_pjsip_dtmf_info "
    "res_pjsip_empty_info res_pjsip_endpoint_identifier_ip res_pjsip_endpoint_identifier_user "
    "res_pjsip_header_funcs res_pjsip_logger res_pjsip_messaging res_pjsip_mwi "
    "res_pjsip_mwi_body_generator res_pjsip_nat res_pjsip_notify "
    "res_pjsip_outbound_authenticator_digest res_pjsip_outbound_publish "
    "res_pjsip_outbound_registration res_pjsip_publish_asterisk res_pjsip_pubsub res_pjsip_refer "
    "res_pjsip_registrar res_pjsip_rfc3326 res_pjsip_sdp_rtp res_pjsip_session res_pjsip_t38"
)
_CONTROL = (
    "res_agi res_ari res_ari_applications res_ari_asterisk res_ari_bridges res_ari_channels "
    "res_ari_device_states res_ari_endpoints res_ari_events res_ari_model res_ari_playbacks "
    "res_ari_recordings res_ari_sounds res_clioriginate res_crypto res_http_websocket "
    "res_sorcery_astdb res_sorcery_config res_sorcery_memory res_sorcery_memory_cache res_speech "
    "res_stasis res_stasis_answer res_stasis_device_state res_stasis_playback "
    "res_stasis_recording res_stasis_snoop res_websocket_client"
)

_FAX = "res_fax res_fax_spandsp"

MODULES: tuple[str, ...] = tuple(
    f"{name}.so"
    for name in " ".join((_APPLICATIONS, _FUNCTIONS, _MEDIA, _SIP, _CONTROL, _FAX)).split()
)
