"""The columnar path: tables of claim lines in, tables of findings out, with the answers of the single-claim engine.

``table`` is its entry. ``lines`` reads rows into arrays; the ``screen_*`` modules prove for each family which lines are
plain; ``cases`` and ``part`` let the single-claim engine decide the rest, each different case once; ``finding_columns``
writes.
"""
