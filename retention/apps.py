from django.apps import AppConfig


class RetentionConfig(AppConfig):
    """Workers come to it between two pieces of work."""

    name = "retention"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from capture.services import besides

        besides.NAMES.append("retention.tidy.tidy")
