"""Pure decisions and values: no input or output, no clock, no asyncio."""
