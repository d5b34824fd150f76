"""What a directory is called in files that must not be used with another one."""

from vm_ari.config import Config


def directory_name(config: Config) -> str:
    """What tells a directory from others; without passwords."""
    from sqlalchemy.engine import make_url  # a large library, for commands that begin at once

    if (table := config.directory.ldap) is not None:
        return " ".join((*table.servers, *table.bases))
    return make_url(config.directory.url).render_as_string(hide_password=True)
