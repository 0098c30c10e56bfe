"""Bytes to tables, safely: what arrives is judged before anything parses it, and nothing vanishes."""
