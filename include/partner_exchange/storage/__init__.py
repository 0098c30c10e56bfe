"""Every path as a pure function, names that parse and format, a partner's home, the archive and the work
area.
"""
