package api

import (
	"context"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/fault"
	"picora/app/limit"
	"picora/app/link"
)

// rationOf is whose buckets a signed-in call is taken from. Where signing in is at
// stake the address counts, whoever it says it is.
func rationOf(ctx context.Context, who auth.Caller, t limit.Tier) limit.Caller {
	if t == limit.SignIn {
		return limit.Caller{Address: link.Client(ctx)}
	}
	return limit.Caller{Account: who.User, Key: who.KeyID, Admin: who.Account.Admin}
}

// take takes a call from the buckets, tells the client what is left, and refuses when
// that is nothing.
func (a *API) take(c *fiber.Ctx, caller limit.Caller, t limit.Tier) error {
	s := a.limits.Take(caller, t)
	showLimit(c, s, a.store.Now())
	return exceeded(s)
}

// wrong answers a credential that is none, unless its address has sent many of those
// lately. A right one is let through all the same: it may come from another client at
// that address, and keys are too long to be guessed.
func (a *API) wrong(ctx context.Context, err error) (limit.State, error) {
	if status(fault.From(err)) >= fiber.StatusInternalServerError {
		return limit.State{}, err
	}
	s := a.limits.Take(limit.Caller{Address: link.Client(ctx)}, limit.Guess)
	if e := exceeded(s); e != nil {
		return s, e
	}
	return s, err
}

// exceeded is the error of a call that may not go on. It is no *fault.Error, for a nil
// one would not be a nil error.
func exceeded(s limit.State) error {
	if s.OK {
		return nil
	}
	retry := wholeSeconds(s.Retry)
	f := fault.New(fault.RateLimited, "Rate limit exceeded (%s): %d per %s. Try again in %d s.", s.Tier, s.Limit, s.Tier.Per(), retry)
	f.Meta = map[string]any{"retryAfterSec": retry, "tier": s.Tier.String(), "limit": s.Limit}
	return f
}

// wholeSeconds rounds up, and to no less than one: clients take 0 for no answer.
func wholeSeconds(d time.Duration) int { return max(1, int((d+time.Second-1)/time.Second)) }

// showLimit writes both families of headers: in one the reset counts from now, in the
// other it is a time (contract 3 and 23, number 18).
func showLimit(c *fiber.Ctx, s limit.State, now time.Time) {
	if !s.Limited {
		return
	}
	reset := int((s.Reset + time.Second - 1) / time.Second)
	for prefix, at := range map[string]int64{"": int64(reset), "X-": now.Unix() + int64(reset)} {
		c.Set(prefix+"RateLimit-Limit", strconv.Itoa(s.Limit))
		c.Set(prefix+"RateLimit-Remaining", strconv.Itoa(s.Remaining))
		c.Set(prefix+"RateLimit-Reset", strconv.FormatInt(at, 10))
	}
}

// rationed is an error with what the client has left, for answers that no handler
// writes.
type rationed struct {
	error
	state limit.State
	now   time.Time
}

func (r *rationed) Unwrap() error { return r.error }

// limitWire is what a caller has left of a tier; null is without a limit.
type limitWire struct {
	Limit        *int   `json:"limit"`
	Remaining    *int   `json:"remaining"`
	ResetSeconds int    `json:"resetSeconds"`
	ResetAt      string `json:"resetAt"`
}

// rateLimits handles GET /v1/user/me/rate-limits.
func (a *API) rateLimits(c *fiber.Ctx) error {
	out, now := map[string]limitWire{}, a.store.Now()
	showLimit(c, a.limits.Peek(rationOf(c.UserContext(), caller(c), limit.Read), limit.Read), now)
	for _, t := range []limit.Tier{limit.Read, limit.Upload, limit.Mutation, limit.Hourly} {
		s := a.limits.Peek(rationOf(c.UserContext(), caller(c), t), t)
		w := limitWire{ResetAt: stamp(now)}
		if s.Limited {
			w = limitWire{&s.Limit, &s.Remaining, int((s.Reset + time.Second - 1) / time.Second), stamp(now.Add(s.Reset))}
		}
		out[t.String()] = w
	}
	return ok(c, out)
}
