"""Looking at the systems around us as an admin would, without changing anything (MAIL-07)."""
