"""Builds the archives that users install: one relocatable folder a platform, the same bytes from the same commit.

::

    source     the files of one commit, and its time
    runtime    a copy of the running interpreter, without what no program of ours imports
    packages   our packages, compiled, and the libraries that they need
    natives    shared libraries: copied in, stripped, made to find each other wherever the folder lies
    launchers  the programs themselves: small executables that start the interpreter
    bytecode   compiled modules that never ask the clock
    documents  what a release says about itself: `release.json`, default settings, help pages
    archive    the manifest and the packing
    folder     all of the above in order
    compare    what differs between two builds
    smoke      the result, tried in an empty environment
    publish    the result, put into a release repository

Run it by `scripts/release`.
"""
