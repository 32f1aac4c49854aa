"""The command `spacetime` as a proxy, and the manager of installed versions behind `spacetime version`.

`proxy/` runs before every command and therefore imports next to nothing; everything else is imported
only by a command that needs it.
"""
