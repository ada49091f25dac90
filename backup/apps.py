from django.apps import AppConfig


class BackupConfig(AppConfig):
    """Commands only: backup and restore."""

    name = "backup"
