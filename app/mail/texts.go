package mail

import (
	"fmt"
	"strings"
	"time"
)

// Text is what a letter, or a notification in the dashboard, says.
type Text struct{ Subject, Body string }

// Language is "zh-CN" or "en": what the user chose, or else what their browser asks
// for first.
func Language(chosen, accept string) string {
	first, _, _ := strings.Cut(accept, ",")
	for _, l := range []string{chosen, strings.TrimSpace(first)} {
		if l == "" {
			continue
		}
		if len(l) >= 2 && strings.EqualFold(l[:2], "zh") {
			return "zh-CN"
		}
		return "en"
	}
	return "en"
}

// Code brings a code. Purposes are those of package auth.
func Code(lang, purpose, code string) Text {
	if lang == "zh-CN" {
		what := map[string]string{
			"register": "注册", "reset_password": "重设密码", "bind_email": "绑定邮箱", "login": "登录", "delete": "删除账户",
		}[purpose]
		if what == "" {
			what = "确认身份"
		}
		return Text{code + " 是您的验证码",
			fmt.Sprintf("您的%s验证码：%s\n\n5 分钟内有效，只能使用一次。请勿告诉任何人。如果不是您本人操作，请忽略本邮件。", what, code)}
	}
	what := map[string]string{
		"register": "open an account", "reset_password": "set a new password", "bind_email": "use this address", "login": "sign in", "delete": "delete your account",
	}[purpose]
	if what == "" {
		what = "confirm that it is you"
	}
	return Text{code + " is your code",
		fmt.Sprintf("Your code to %s is %s\n\nIt is good for 5 minutes, once. Tell it to nobody. If you did not ask for it, ignore this letter.", what, code)}
}

// Taken tells somebody who tried to register that they have an account, and brings a
// code to sign in with.
func Taken(lang, code string) Text {
	if lang == "zh-CN" {
		return Text{"您已有账户", fmt.Sprintf("有人用此邮箱地址申请注册，但您已经有账户了。\n\n如果是您本人，可以用此验证码登录：%s（5 分钟内有效，只能使用一次），或用密码登录。否则请忽略本邮件，请勿告诉任何人。", code)}
	}
	return Text{"You have an account already",
		fmt.Sprintf("Somebody asked to open an account with this address, and you have one.\n\nIf that was you, sign in with your password, or with this code: %s (good for 5 minutes, once). Otherwise ignore this letter, and tell the code to nobody.", code)}
}

// NewDevice tells of a sign-in on a device that was not seen before.
func NewDevice(lang, device, address string, when time.Time) Text {
	at := when.UTC().Format("2006-01-02 15:04 UTC")
	device, address = oneLine(device), oneLine(address)
	if lang == "zh-CN" {
		return Text{"新设备登录", fmt.Sprintf("%s，您的账户在新设备上登录：%s，地址 %s。\n\n如果不是您本人，请修改密码，并在会话列表中结束该会话。", at, device, address)}
	}
	return Text{"Sign-in on a new device",
		fmt.Sprintf("At %s somebody signed in to your account on a new device: %s, from %s.\n\nIf that was not you, change your password and end the session in the list of sessions.", at, device, address)}
}

// Locked tells of a lock-out. With known the password was right each time, and the
// second factor was not.
func Locked(lang, address string, until time.Time, known bool) Text {
	at := until.UTC().Format("15:04 UTC")
	address = oneLine(address)
	switch zh := lang == "zh-CN"; {
	case known && zh:
		return Text{"有人知道您的密码", fmt.Sprintf("有人输入了正确的密码，但多次输入错误的验证码（地址 %s）。在 %s 之前不能从那里登录。\n\n如果不是您本人，请立即修改密码。", address, at)}
	case known:
		return Text{"Somebody knows your password",
			fmt.Sprintf("Somebody sent your right password, and then too many wrong codes, from %s. They cannot sign in from there until %s.\n\nIf that was not you, change your password now.", address, at)}
	case zh:
		return Text{"登录已被暂时锁定", fmt.Sprintf("有人多次输入错误的密码（地址 %s）。在 %s 之前不能从那里登录。\n\n如果不是您本人，请确认您的密码足够强，并启用两步验证。", address, at)}
	}
	return Text{"Signing in was blocked for a while",
		fmt.Sprintf("Somebody sent too many wrong passwords for your account, from %s. They cannot sign in from there until %s.\n\nIf that was not you, see that your password is a good one, and set up a second factor.", address, at)}
}

// PasswordChanged tells of another password.
func PasswordChanged(lang, address string, when time.Time) Text {
	at := when.UTC().Format("2006-01-02 15:04 UTC")
	address = oneLine(address)
	if lang == "zh-CN" {
		return Text{"密码已修改", fmt.Sprintf("您的密码已于 %s 修改，地址 %s。\n\n如果不是您本人，请立即重设密码并联系管理员。", at, address)}
	}
	return Text{"Your password was changed",
		fmt.Sprintf("Your password was changed at %s, from %s.\n\nIf that was not you, reset it at once and tell the server's administrator.", at, address)}
}

// EmailChanged tells the old address, and the account, of the new one.
func EmailChanged(lang, email, address string, when time.Time) Text {
	at := when.UTC().Format("2006-01-02 15:04 UTC")
	email, address = oneLine(email), oneLine(address)
	if lang == "zh-CN" {
		return Text{"邮箱地址已修改", fmt.Sprintf("您账户的邮箱地址已于 %s 改为 %s，地址 %s。其他设备均已退出登录。\n\n如果不是您本人，请立即联系管理员。", at, email, address)}
	}
	return Text{"Your e-mail address was changed",
		fmt.Sprintf("At %s the e-mail address of your account was changed to %s, from %s. All other devices were signed out.\n\nIf that was not you, tell the server's administrator at once.", at, email, address)}
}
