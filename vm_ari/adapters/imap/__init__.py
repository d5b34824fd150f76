"""The message store on IMAP servers (MAIL-01..04): imapclient in bounded threads."""
