"""The protocol doors: accounts, rights, homes, atomic uploads. Only SFTP so far; see ``service``."""
