// Package echo holds the messages and names of echo.proto for the Go programs of the interop stage.
//
// containerd's ttrpc 1.1.1 takes any struct that gogo/protobuf can reflect on, so the messages are plain structs whose
// tags repeat echo.proto; no Go code generator is needed. Used by the client and the server beside this folder.
package echo

import "github.com/gogo/protobuf/proto"

// Service is the name that calls carry on the wire.
const Service = "ttrpc.interop.Echo"

// Request is EchoRequest of echo.proto.
type Request struct {
	Text        string `protobuf:"bytes,1,opt,name=text,proto3"`
	Payload     []byte `protobuf:"bytes,2,opt,name=payload,proto3"`
	FailCode    int32  `protobuf:"varint,3,opt,name=fail_code,json=failCode,proto3"`
	FailMessage string `protobuf:"bytes,4,opt,name=fail_message,json=failMessage,proto3"`
	SleepMillis int64  `protobuf:"varint,5,opt,name=sleep_millis,json=sleepMillis,proto3"`
}

func (m *Request) Reset()         { *m = Request{} }
func (m *Request) String() string { return proto.CompactTextString(m) }
func (*Request) ProtoMessage()    {}

// Response is EchoResponse of echo.proto.
type Response struct {
	Text        string   `protobuf:"bytes,1,opt,name=text,proto3"`
	Payload     []byte   `protobuf:"bytes,2,opt,name=payload,proto3"`
	Metadata    []string `protobuf:"bytes,3,rep,name=metadata,proto3"`
	TimeoutNano int64    `protobuf:"varint,4,opt,name=timeout_nano,json=timeoutNano,proto3"`
}

func (m *Response) Reset()         { *m = Response{} }
func (m *Response) String() string { return proto.CompactTextString(m) }
func (*Response) ProtoMessage()    {}
