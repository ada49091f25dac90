"""/api/docs/: the endpoints as a page, made of the OpenAPI description."""
