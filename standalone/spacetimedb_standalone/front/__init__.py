"""The front door: the one process that listens, knows who asks and what for, and hands over to the
databases.
"""
