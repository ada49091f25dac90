// Only builds the Pilosa server: `go install github.com/pilosa/pilosa/cmd/pilosa@v1.4.1` fails, as a dependency it builds.
module picapweb/pilosa

go 1.21

require github.com/pilosa/pilosa v1.4.1
