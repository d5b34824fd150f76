"""Users from a directory server by LDAP: `LdapDirectory` is the way in (DIR-01 to DIR-04)."""
