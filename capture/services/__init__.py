"""What can be done with jobs. Called by the API, the pages, the commands and the tasks alike."""
