"""Asterisk's REST interface: a thin client with ari-py's object surface, on aiohttp."""
