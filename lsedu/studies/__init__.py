"""Studies: one file a claim, table or figure, by part of the course; `lsedu.experiments` finds and runs them.

A module of a part (``studies/PART/NAME.py``) defines ``EXPERIMENT``, whose name is the module's. Nothing lists it.
"""
