// Command client checks a server of echo.proto with containerd's own ttrpc client.
//
// Usage: client SOCKET. It prints one line for each check and ends with status 0 when all of them hold, else 1. All
// checks share one connection, except the one that may cost it. The interop stage runs it against our server.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/containerd/ttrpc"

	"../echo"
)

// checkLimit is how long a check may take before it counts as failed, so that a server that never answers is reported.
const checkLimit = 20 * time.Second

// peer is the connection under test and the path to make further ones.
type peer struct {
	path   string
	client *ttrpc.Client
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: client SOCKET")
		os.Exit(2)
	}
	p := peer{path: os.Args[1]}
	client, err := p.connect()
	if err != nil {
		fmt.Fprintln(os.Stderr, "go client:", err)
		os.Exit(1)
	}
	p.client = client

	failed := 0
	for _, check := range checks {
		if err := within(checkLimit, func() error { return check.run(p) }); err != nil {
			failed++
			fmt.Printf("FAIL  %s: %v\n", check.name, err)
		} else {
			fmt.Printf("ok    %s\n", check.name)
		}
	}
	if failed > 0 {
		fmt.Printf("go client: %d of %d checks failed\n", failed, len(checks))
		os.Exit(1)
	}
	fmt.Printf("go client: %d checks ok\n", len(checks))
}

func (p peer) connect() (*ttrpc.Client, error) {
	conn, err := net.Dial("unix", p.path)
	if err != nil {
		return nil, err
	}
	return ttrpc.NewClient(conn, ttrpc.WithUnaryClientInterceptor(setRawTimeout)), nil
}

func (p peer) call(ctx context.Context, method string, request *echo.Request) (*echo.Response, error) {
	var response echo.Response
	err := p.client.Call(ctx, echo.Service, method, request, &response)
	return &response, err
}

type rawTimeoutKey struct{}

// withRawTimeout puts a timeout on the wire that this client itself does not watch: what the caller then sees is the
// server's own answer, not the client's timer.
func withRawTimeout(ctx context.Context, nanoseconds int64) context.Context {
	return context.WithValue(ctx, rawTimeoutKey{}, nanoseconds)
}

func setRawTimeout(
	ctx context.Context, request *ttrpc.Request, response *ttrpc.Response, _ *ttrpc.UnaryClientInfo, next ttrpc.Invoker,
) error {
	if nanoseconds, ok := ctx.Value(rawTimeoutKey{}).(int64); ok {
		request.TimeoutNano = nanoseconds
	}
	return next(ctx, request, response)
}

// within runs one check and gives up on it after the limit.
func within(limit time.Duration, run func() error) error {
	done := make(chan error, 1)
	go func() { done <- run() }()
	select {
	case err := <-done:
		return err
	case <-time.After(limit):
		return fmt.Errorf("no result within %v", limit)
	}
}
