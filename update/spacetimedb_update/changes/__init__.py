"""Changing an installation: a plan as data, and a driver that carries it out and can be killed anywhere.

::

    steps      what a plan is made of, each with the sentence that shows it
    plans      from a look at the installation to a plan, without touching anything
    lock       one change at a time
    journal    what is under way, for the run after a crash
    recovery   mending what an interrupted run left
    executor   the steps, carried out one after another
    backup     a copy of the data directory
"""
