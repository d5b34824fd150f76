"""Settings of logins by telephone."""

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from vm_ari.config.directory import Table
from vm_ari.domain.access import AfterExpiry
from vm_ari.domain.login_budget import Budget
from vm_ari.domain.pin import FAILURES_BEFORE_LOCK
from vm_ari.domain.pin_rules import LONGEST_PIN, SHORTEST_POSSIBLE


class LoginSettings(Table):
    """Logging in by telephone."""

    failures_before_lock: int = Field(default=FAILURES_BEFORE_LOCK, ge=0, le=100)
    """So many wrong PINs lock the telephone login of a mailbox; 0: never."""
    lock_notice: bool = True
    """Tell users by mail that their login is locked."""
    shortest_pin: int = Field(default=6, ge=SHORTEST_POSSIBLE, le=LONGEST_PIN)
    """Digits of new PINs; present ones stay good."""
    pin_days: int = Field(default=0, ge=0, le=3650)
    """After so many days a PIN must be changed; 0: never."""
    reminder_days: int = Field(default=7, ge=0, le=365)
    """So many days before, the user is told by mail; 0: never."""
    after_expiry: AfterExpiry = AfterExpiry.CHANGE
    """``change`` demands a new PIN at the login, ``prevent`` refuses it."""
    default_pin: SecretStr = SecretStr("")
    """PIN of all users who have none, until they change it; only without welcome mails."""
    failures_per_caller: int = Field(default=10, ge=0, le=10_000)
    """So many wrong PINs from one number within the time below, and it is refused; 0: never."""
    failures_for_all: int = Field(default=100, ge=0, le=1_000_000)
    """So many from all callers, and logins from outside wait some seconds each; 0: never."""
    failure_minutes: int = Field(default=15, ge=1, le=1440)
    outside_numbers_verified: bool = False
    """The provider verifies the numbers of outside callers, and no other trunk brings any."""
    pinless_from_outside: bool = False
    """Such a number may log in without a PIN, where its user has set that."""
    log: Path | None = None
    """File with a line for each failed login, for fail2ban; without it they go to the log."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        pin = self.default_pin.get_secret_value()
        if pin and not (pin.isascii() and pin.isdigit() and 4 <= len(pin) <= LONGEST_PIN):
            raise ValueError(f"default_pin: write 4 to {LONGEST_PIN} digits")
        if self.pinless_from_outside and not self.outside_numbers_verified:
            raise ValueError(
                "pinless_from_outside: anybody can claim a number, so it also needs "
                "outside_numbers_verified = true, if your provider verifies them"
            )
        if self.pin_days and self.reminder_days >= self.pin_days:
            raise ValueError("reminder_days must be fewer than pin_days")
        return self

    def budget(self) -> Budget:
        """How many failures one caller, and all together, may have."""
        minutes = timedelta(minutes=self.failure_minutes)
        return Budget(self.failures_per_caller, self.failures_for_all, minutes)
