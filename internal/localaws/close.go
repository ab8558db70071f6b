package localaws

import (
	"context"
	"errors"
	"net/http"
)

// Close drains in the direction of the data: the front door finishes its requests, the schedules and the mappings their
// invocations, then the processes end, then SQS, which they needed until then. When ctx ends first, the rest is cut off;
// Close still returns only when no process, listener or goroutine is left. It is idempotent.
func (s *Server) Close(ctx context.Context) error {
	var problems []error
	problems = append(problems, shut(ctx, s.api))
	if s.schedules != nil {
		problems = append(problems, s.schedules.Stop(ctx))
	}
	for _, mapping := range s.mappings {
		problems = append(problems, mapping.Stop(ctx))
	}
	if s.functions != nil {
		problems = append(problems, s.functions.Close(ctx))
	}
	if s.queues != nil {
		s.queues.Close() // wakes the long polls, which would hold up the server
	}
	problems = append(problems, shut(ctx, s.aws))
	s.serving.Wait()
	if s.objects != nil {
		s.objects.Close()
	}
	for _, kept := range s.journals {
		problems = append(problems, kept.Close())
	}
	return errors.Join(problems...)
}

// CloseFrontDoor ends only the front door, so that an owner can let the functions empty the queues before Close. The requests in
// progress may finish until ctx ends. It is idempotent.
func (s *Server) CloseFrontDoor(ctx context.Context) error { return shut(ctx, s.api) }

// shut waits for the requests in progress until ctx ends and drops the others.
func shut(ctx context.Context, server *http.Server) error {
	if server == nil {
		return nil
	}
	err := server.Shutdown(ctx)
	if err != nil {
		_ = server.Close()
	}
	return err
}
