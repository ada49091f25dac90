from django.apps import AppConfig


class PicapwebConfig(AppConfig):
    """The project itself: it has commands, and every process of it knows its Celery application."""

    name = "picapweb"

    def ready(self) -> None:
        from picapweb import celery  # noqa: F401  (shared_task finds the application once it is made)
