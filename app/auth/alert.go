package auth

import (
	"context"
	"crypto/sha256"
	"log/slog"

	"picora/app/mail"
	"picora/store"
)

// UseMail has letters sent by m. Without it codes go to the log.
func (a *Auth) UseMail(m *mail.Mailer) { a.mail = m }

// MailOn reports whether letters can be sent.
func (a *Auth) MailOn() bool { return a.mail.On() }

// Alert tells u of what touches their account, in the dashboard and by mail.
func (a *Auth) Alert(ctx context.Context, u store.User, t mail.Text) { a.alert(ctx, u, t) }

// alert tells the user of what touches their account: in the dashboard, and by mail.
// What fails is logged; it must not undo what it tells of.
func (a *Auth) alert(ctx context.Context, u store.User, t mail.Text) {
	a.notify(ctx, u.ID, t.Subject, t.Body)
	if u.Email != "" {
		a.mail.Send(u.Email, t)
	}
}

// notify leaves the user a notification. What fails is logged.
func (a *Auth) notify(ctx context.Context, user, title, body string) {
	if err := a.store.Notify(ctx, store.Notification{User: user, Type: "system", Title: title, Body: body}); err != nil {
		slog.Error("a user was not notified", "user", user, "about", title, "err", err)
	}
}

// event writes what u did, or what was done to them, into the audit log. What fails is
// logged.
func (a *Auth) event(ctx context.Context, u store.User, via, action, subject string, d Device, detail map[string]string) {
	err := a.store.AddEvent(ctx, store.Event{
		Actor: u.ID, Via: via, Action: action, Subject: subject, Address: d.Address, Agent: d.Agent, Detail: detail,
	})
	if err != nil {
		slog.Error("the audit log lacks an event", "action", action, "subject", subject, "err", err)
	}
}

// signedInOn tells the user when the device they signed in on is a new one. Their first
// is none.
func (a *Auth) signedInOn(ctx context.Context, s Signed, d Device) {
	kind := sha256.Sum256([]byte(d.Name())) // not the address, which changes on the way to work
	before, any, err := a.store.SeenDevice(ctx, s.User.ID, kind[:])
	if err != nil {
		slog.Error("a device was not remembered", "user", s.User.ID, "err", err)
		return
	}
	if any && !before {
		a.alert(ctx, s.User, mail.NewDevice(mail.Language(s.User.Locale, d.Language), d.Name(), d.Address, s.Session.Created))
	}
}

// SendCode makes a code, and mails it to the address, or writes it into the log and
// shows it to the administrators when there is no mail. With send false it does neither, though all else is the same: whom
// nothing is sent to cannot be told from outside.
func (a *Auth) SendCode(ctx context.Context, email, purpose, lang string, send bool) error {
	code, err := a.NewCode(ctx, email, purpose)
	if err != nil || !send {
		return err
	}
	if u, known, err := a.find(ctx, email); err != nil {
		return err
	} else if known {
		email = u.Email // as its owner wrote it, not as somebody typed it here
	}
	a.deliver(ctx, email, purpose, code, mail.Code(lang, purpose, code))
	return nil
}

func (a *Auth) deliver(ctx context.Context, email, purpose, code string, t mail.Text) {
	if a.mail.On() {
		a.mail.Send(email, t)
		return
	}
	slog.Warn("a code to pass on: there is no mail server in the settings", "email", email, "purpose", purpose, "code", code)
	// Not in the request, only before the stop (Wait): that takes time, and whom nothing is sent to would be told by it.
	a.showing.Go(func() { a.showCode(context.WithoutCancel(ctx), email, t) })
}

// showCode tells the administrators of a code that they pass on. Those of administrators
// are in the log only: who took over a session of one of them must not get a proof with
// it, nor the account of another.
func (a *Auth) showCode(ctx context.Context, email string, t mail.Text) {
	u, _, err := a.find(ctx, email)
	if err == nil && !u.Admin {
		err = a.store.NotifyAdmins(ctx, store.Notification{
			Type: "system", Title: "A code to pass on to " + email,
			Body: "This server sends no mail. When you are sure who asks for it, pass this on to " + email + ":\n\n" + t.Body,
		})
	}
	if err != nil {
		slog.Error("the administrators were not shown a code", "email", email, "err", err)
	}
}

// CodeSent is what people are told after SendCode, whether or not something was sent.
func (a *Auth) CodeSent(lang string) string {
	zh := lang == "zh-CN"
	switch {
	case a.mail.On() && zh:
		return "如果该地址可用，验证码已发送至邮箱，5 分钟内有效。"
	case a.mail.On():
		return "If this address can be used here, a code is on its way to it, good for 5 minutes."
	case zh:
		return "此服务器未配置邮件。如果该地址可用，验证码在服务器日志中，请向管理员索取，5 分钟内有效。"
	}
	return "This server sends no mail. If this address can be used here, the administrator has the code in the server's log, good for 5 minutes."
}
