"""The whole service on one machine, with an embedded PostgreSQL and broker, and answers streaming in."""

from app.demo.demo import run_demo

__all__ = ["run_demo"]
