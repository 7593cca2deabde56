"""Queries after the specifications of TPC-H (all 22) and TPC-DS (all 99), with their validation parameters.

Where a plan could choose among equal rows at a LIMIT, or small tables divide by zero, those of TPC-DS say what happens:
more columns order, and the quotient is null. Quotients of counts are not cut to integers.
"""
