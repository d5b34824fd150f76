"""Failed logins are counted over all nodes, where several share a database."""

import socket
from dataclasses import dataclass

from sqlalchemy.engine import make_url

from vm_ari.adapters.login_attempts import DatabaseAttempts
from vm_ari.config import Config
from vm_ari.ports import Clock
from vm_ari.services.logins import Attempts
from vm_ari.services.shared_attempts import SharedAttempts
from vm_ari.wiring.directories import blamed


@dataclass(frozen=True)
class OpenAttempts:
    """*attempts* are for those who judge logins."""

    attempts: Attempts
    shared: SharedAttempts | None
    database: DatabaseAttempts | None

    async def run(self) -> None:
        """Until cancelled; at once over on a single machine."""
        if self.shared:
            await self.shared.run()

    async def close(self) -> None:
        """Release the database."""
        if self.database:
            await self.database.close()


def open_attempts(config: Config, clock: Clock) -> OpenAttempts:
    """Nothing is connected yet; SQLite is one machine's. Raises `BadConfig`."""
    attempts = Attempts(config.logins.budget())
    url = config.notifications.url or config.directory.url
    with blamed("notifications.url"):
        if make_url(url).get_backend_name() == "sqlite":
            return OpenAttempts(attempts, None, None)
        node = f"{socket.gethostname()}:{config.spool.directory}"
        database = DatabaseAttempts(url, node)
    return OpenAttempts(attempts, SharedAttempts(attempts, database, clock), database)
