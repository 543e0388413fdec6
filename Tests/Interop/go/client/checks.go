// The checks that the client runs, in this order. Each says in its name what holds when it passes.
package main

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"sort"
	"strings"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"../echo"
)

var checks = []struct {
	name string
	run  func(peer) error
}{
	{"text and payload come back", checkEcho},
	{"an error keeps its code and message, for all sixteen codes", checkFail},
	{"an empty reply is a success", checkEmpty},
	{"an unknown method and an unknown service are UNIMPLEMENTED", checkUnknown},
	{"metadata arrives, repeated keys in order", checkMetadata},
	{"the server sees the timeout, and none when none was set", checkTimeoutSeen},
	{"the client's deadline ends the call, and the connection lives on", checkDeadline},
	{"the server itself answers DEADLINE_EXCEEDED in time", checkServerDeadline},
	{"a negative timeout is DEADLINE_EXCEEDED at once", checkNegativeTimeout},
	{"1 MiB goes both ways unchanged", checkPayload},
	{"a frame of just under 4 MiB goes both ways unchanged", checkLargestPayload},
	{"64 concurrent calls run side by side and each gets its own answer", checkConcurrent},
	{"2000 calls one after another on one connection", checkSequential},
	{"a request over 4 MiB fails and others go on", checkOversized},
}

func checkEcho(p peer) error {
	for _, text := range []string{"", "plain", "Grüße, 東京 🗼"} {
		request := &echo.Request{Text: text, Payload: []byte{0, 1, 0xfe, 0xff}}
		if err := p.expectEcho(request); err != nil {
			return err
		}
	}
	return nil
}

func checkFail(p peer) error {
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		message := fmt.Sprintf("code %d, naïve “quotes”", code)
		_, err := p.call(context.Background(), "Fail", &echo.Request{FailCode: int32(code), FailMessage: message})
		if got := status.Convert(err); got.Code() != code || got.Message() != message {
			return fmt.Errorf("asked for %v %q, got %v", code, message, err)
		}
	}
	return nil
}

func checkEmpty(p peer) error {
	response, err := p.call(context.Background(), "Empty", &echo.Request{Text: "ignored"})
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(*response, echo.Response{}) {
		return fmt.Errorf("the reply is not empty: %v", response)
	}
	return nil
}

func checkUnknown(p peer) error {
	for _, path := range [][2]string{{echo.Service, "Missing"}, {"ttrpc.interop.Missing", "Echo"}} {
		err := p.client.Call(context.Background(), path[0], path[1], &echo.Request{}, &echo.Response{})
		if status.Code(err) != codes.Unimplemented {
			return fmt.Errorf("%s/%s: %v", path[0], path[1], err)
		}
	}
	return nil
}

func checkMetadata(p peer) error {
	metadata := ttrpc.MD{}
	metadata.Set("agent", "billing")
	metadata.Set("trace", "b", "a", "c")
	metadata.Set("empty", "")
	metadata.Set("city", "Zürich=CH")
	response, err := p.call(ttrpc.WithMetadata(context.Background(), metadata), "Echo", &echo.Request{})
	if err != nil {
		return err
	}
	// Keys may come in any order, values of one key may not: a stable sort by key alone keeps the latter visible.
	got := response.Metadata
	sort.SliceStable(got, func(i, j int) bool { return key(got[i]) < key(got[j]) })
	want := []string{"agent=billing", "city=Zürich=CH", "empty=", "trace=b", "trace=a", "trace=c"}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("got %q, want %q", got, want)
	}
	return nil
}

func key(pair string) string {
	key, _, _ := strings.Cut(pair, "=")
	return key
}

func (p peer) expectEcho(request *echo.Request) error {
	response, err := p.call(context.Background(), "Echo", request)
	if err != nil {
		return err
	}
	if response.Text != request.Text || !bytes.Equal(response.Payload, request.Payload) {
		return fmt.Errorf("sent %q and %d bytes, got %q and %d bytes that differ",
			request.Text, len(request.Payload), response.Text, len(response.Payload))
	}
	return nil
}
