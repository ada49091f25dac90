// An ordinary user of go-pilosa, for tests/clients/test_go_pilosa.py.
module picapweb/tests/clients

go 1.21

require github.com/pilosa/go-pilosa v1.3.1-0.20190612142550-e616c1393660

require (
	github.com/StackExchange/wmi v1.2.1 // indirect
	github.com/golang/protobuf v1.2.0 // indirect
	github.com/opentracing/opentracing-go v1.1.0 // indirect
	github.com/pilosa/pilosa v1.2.1-0.20190410162749-b973f8c96356 // indirect
	github.com/pkg/errors v0.8.1 // indirect
	github.com/shirou/w32 v0.0.0-20160930032740-bb4de0191aa4 // indirect
	golang.org/x/sync v0.0.0-20181221193216-37e7f081c4d4 // indirect
	golang.org/x/sys v0.0.0-20190916202348-b4ddaad3f8a3 // indirect
)
