// The checks of size and number: large frames, concurrent calls, many calls, and a frame that is too large.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"../echo"
)

// frameBytesMax is the most that one frame may carry after its header.
const frameBytesMax = 4 << 20

func checkPayload(p peer) error {
	return p.expectEcho(&echo.Request{Text: "1 MiB", Payload: pattern(1 << 20)})
}

func checkLargestPayload(p peer) error {
	return p.expectEcho(&echo.Request{Payload: pattern(frameBytesMax - 64)})
}

func checkConcurrent(p peer) error {
	const calls = 64
	results := make(chan error, calls)
	start := time.Now()
	for i := 0; i < calls; i++ {
		go func(i int) {
			// Sleeps differ so that answers come in another order than the calls.
			request := &echo.Request{Text: fmt.Sprint("call ", i), SleepMillis: int64(100 + i*37%100)}
			response, err := p.call(context.Background(), "Sleep", request)
			if err == nil && response.Text != request.Text {
				err = fmt.Errorf("%q got the answer of %q", request.Text, response.Text)
			}
			results <- err
		}(i)
	}
	for i := 0; i < calls; i++ {
		if err := <-results; err != nil {
			return err
		}
	}
	// One after another they would sleep more than 9 s.
	if took := time.Since(start); took > promptly {
		return fmt.Errorf("took %v", took)
	}
	return nil
}

func checkSequential(p peer) error {
	for i := 0; i < 2000; i++ {
		if err := p.expectEcho(&echo.Request{Text: fmt.Sprint("call ", i)}); err != nil {
			return fmt.Errorf("call %d: %w", i, err)
		}
	}
	return nil
}

// checkOversized leaves the server two ways: a RESOURCE_EXHAUSTED answer, or a closed connection, which is what this
// client sees when the server closes after its answer while the rest of the frame is still being written.
func checkOversized(p peer) error {
	client, err := p.connect()
	if err != nil {
		return err
	}
	defer client.Close()
	other := peer{path: p.path, client: client}
	_, err = other.call(context.Background(), "Echo", &echo.Request{Payload: make([]byte, frameBytesMax+1)})
	if status.Code(err) != codes.ResourceExhausted && !errors.Is(err, ttrpc.ErrClosed) {
		return fmt.Errorf("got %v", err)
	}
	return p.expectEcho(&echo.Request{Text: "after another caller's oversized request"})
}

// pattern is bytes whose period is no power of two, so that a lost or doubled block shows.
func pattern(size int) []byte {
	payload := make([]byte, size)
	for i := range payload {
		payload[i] = byte(i % 251)
	}
	return payload
}
