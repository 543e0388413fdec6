// Command go-ttrpc answers twind's GetTwin with a fixed number of bytes, on containerd's own ttrpc server.
//
// Usage: go-ttrpc SOCKET BYTES, where BYTES is the size of the encoded reply message. A peer of twinbench compare, which
// builds and starts it: what the same call costs on the library that most ttrpc servers are made with. It keeps what
// it would keep for a real service: the request is unmarshalled, the reply is marshalled anew for each call.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/containerd/ttrpc"
	"github.com/gogo/protobuf/proto"
)

type request struct {
	Name string `protobuf:"bytes,1,opt,name=name,proto3"`
}

func (m *request) Reset()         { *m = request{} }
func (m *request) String() string { return proto.CompactTextString(m) }
func (*request) ProtoMessage()    {}

type response struct {
	Twin []byte `protobuf:"bytes,1,opt,name=twin,proto3"`
}

func (m *response) Reset()         { *m = response{} }
func (m *response) String() string { return proto.CompactTextString(m) }
func (*response) ProtoMessage()    {}

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "go-ttrpc:", err)
		os.Exit(1)
	}
}

func serve(arguments []string) error {
	if len(arguments) != 2 {
		return fmt.Errorf("usage: go-ttrpc SOCKET BYTES")
	}
	bytes, err := strconv.Atoi(arguments[1])
	if err != nil || bytes < 0 {
		return fmt.Errorf("%q is not a number of bytes", arguments[1])
	}
	twin := make([]byte, bytes)
	// The tag and the length belong to the size.
	for len(twin) > 0 && proto.Size(&response{Twin: twin}) > bytes {
		twin = twin[1:]
	}
	listener, err := net.Listen("unix", arguments[0])
	if err != nil {
		return err
	}
	server, err := ttrpc.NewServer()
	if err != nil {
		return err
	}
	server.Register("twind.v1.TwinService", map[string]ttrpc.Method{
		"GetTwin": func(_ context.Context, unmarshal func(interface{}) error) (interface{}, error) {
			var asked request
			if err := unmarshal(&asked); err != nil {
				return nil, err
			}
			return &response{Twin: twin}, nil
		},
	})
	return server.Serve(context.Background(), listener)
}
