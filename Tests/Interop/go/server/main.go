// Command server answers the unary methods of echo.proto with containerd's own ttrpc server.
//
// Usage: server SOCKET. It prints "listening on SOCKET" once calls are accepted, and stops on SIGTERM or SIGINT with
// status 0. The interop stage runs our client against it.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sort"
	"syscall"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"../echo"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: server SOCKET")
		os.Exit(2)
	}
	if err := serve(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "go server:", err)
		os.Exit(1)
	}
}

func serve(path string) error {
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	server, err := ttrpc.NewServer()
	if err != nil {
		return err
	}
	server.Register(echo.Service, map[string]ttrpc.Method{
		"Echo":  method(answerEcho),
		"Fail":  method(answerFail),
		"Sleep": method(answerSleep),
		"Empty": method(answerEmpty),
	})

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		server.Close()
	}()

	fmt.Println("listening on", path)
	if err := server.Serve(context.Background(), listener); !errors.Is(err, ttrpc.ErrServerClosed) {
		return err
	}
	return nil
}

// method gives a handler of typed messages the form that ttrpc registers.
func method(answer func(context.Context, *echo.Request) (*echo.Response, error)) ttrpc.Method {
	return func(ctx context.Context, unmarshal func(interface{}) error) (interface{}, error) {
		var request echo.Request
		if err := unmarshal(&request); err != nil {
			return nil, err
		}
		return answer(ctx, &request)
	}
}

func answerEcho(ctx context.Context, request *echo.Request) (*echo.Response, error) {
	response := &echo.Response{Text: request.Text, Payload: request.Payload}
	if deadline, ok := ctx.Deadline(); ok {
		response.TimeoutNano = time.Until(deadline).Nanoseconds()
	}
	metadata, _ := ttrpc.GetMetadata(ctx)
	keys := make([]string, 0, len(metadata))
	for key := range metadata {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		for _, value := range metadata[key] {
			response.Metadata = append(response.Metadata, key+"="+value)
		}
	}
	return response, nil
}

func answerFail(_ context.Context, request *echo.Request) (*echo.Response, error) {
	if request.FailCode < 1 || request.FailCode > 16 {
		return nil, status.Errorf(codes.InvalidArgument, "fail_code is %d; use 1 to 16", request.FailCode)
	}
	return nil, status.Error(codes.Code(request.FailCode), request.FailMessage)
}

func answerSleep(ctx context.Context, request *echo.Request) (*echo.Response, error) {
	select {
	case <-time.After(time.Duration(request.SleepMillis) * time.Millisecond):
		return &echo.Response{Text: request.Text}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func answerEmpty(context.Context, *echo.Request) (*echo.Response, error) {
	return &echo.Response{}, nil
}
