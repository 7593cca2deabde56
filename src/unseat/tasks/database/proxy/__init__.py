"""A policy at work beside a real server: a proxy that adds settings to queries on their way."""
