"""Queries after the specifications of TPC-H (all 22) and TPC-DS (eight of 99), with their validation parameters."""
