// The checks of timeouts: what the server sees of them, and how a call ends when one passes.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"../echo"
)

// promptly is how soon an expired call must be over: far above any scheduling delay, far below the sleep asked for.
const promptly = 3 * time.Second

const longSleepMillis = 60_000

func checkTimeoutSeen(p peer) error {
	response, err := p.call(context.Background(), "Echo", &echo.Request{})
	if err != nil || response.TimeoutNano != 0 {
		return fmt.Errorf("without a deadline: timeout_nano %d, error %v", response.TimeoutNano, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	response, err = p.call(ctx, "Echo", &echo.Request{})
	seen := time.Duration(response.TimeoutNano)
	if err != nil || seen > 30*time.Second || seen < 30*time.Second-promptly {
		return fmt.Errorf("with 30 s: timeout_nano %d, error %v", response.TimeoutNano, err)
	}
	return nil
}

func checkDeadline(p peer) error {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := p.call(ctx, "Sleep", &echo.Request{SleepMillis: longSleepMillis})
	if !errors.Is(err, context.DeadlineExceeded) && status.Code(err) != codes.DeadlineExceeded {
		return fmt.Errorf("got %v", err)
	}
	if took := time.Since(start); took > promptly {
		return fmt.Errorf("took %v", took)
	}
	// The server's late answer meets a call that nobody waits for any more; the next call must not notice.
	return p.expectEcho(&echo.Request{Text: "after a deadline"})
}

func checkServerDeadline(p peer) error {
	return p.expectServerDeadline(100*time.Millisecond, 90*time.Millisecond)
}

func checkNegativeTimeout(p peer) error {
	return p.expectServerDeadline(-1, 0)
}

func (p peer) expectServerDeadline(timeout, atLeast time.Duration) error {
	ctx := withRawTimeout(context.Background(), timeout.Nanoseconds())
	start := time.Now()
	_, err := p.call(ctx, "Sleep", &echo.Request{SleepMillis: longSleepMillis})
	took := time.Since(start)
	if status.Code(err) != codes.DeadlineExceeded {
		return fmt.Errorf("got %v", err)
	}
	if took < atLeast || took > promptly {
		return fmt.Errorf("took %v", took)
	}
	return nil
}
