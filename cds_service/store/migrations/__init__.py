"""Alembic's folder: env.py runs the revisions of versions/, oldest first. migrate.py starts it."""
