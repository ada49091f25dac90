"""Every reader of what strangers send, given damaged and made-up input for as long as is wanted: `script/fuzz`."""
