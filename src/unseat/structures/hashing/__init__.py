"""Hash functions and hash tables: good functions, and one that is learned from the keys.

`functions` holds the good ones, `learned` the scaled model of where the keys lie, `tables` the tables in which the
difference shows, `measure` what is counted.
"""
