package mail

import (
	"fmt"
	"time"
)

// ifNotYou ends what tells of a change to how people sign in.
func ifNotYou(lang string) string {
	if lang == "zh-CN" {
		return "如果不是您本人，请修改密码，并结束其他会话。"
	}
	return " If it was not you, change your password and end the other sessions."
}

// AppAdded tells of a new authenticator app.
func AppAdded(lang string) Text {
	if lang == "zh-CN" {
		return Text{"已启用身份验证器", "以后用密码登录时，还需要输入它的验证码。" + ifNotYou(lang)}
	}
	return Text{"An authenticator app was set up", "Signing in with your password now asks for its code, too." + ifNotYou(lang)}
}

// AppRemoved tells that there is no authenticator app any more.
func AppRemoved(lang string) Text {
	if lang == "zh-CN" {
		return Text{"身份验证器已移除", "现在只需密码即可登录。" + ifNotYou(lang)}
	}
	return Text{"Your authenticator app was removed", "Signing in asks for your password only." + ifNotYou(lang)}
}

// RecoveryRenewed tells of new recovery codes.
func RecoveryRenewed(lang string) Text {
	if lang == "zh-CN" {
		return Text{"恢复码已更换", "旧的恢复码已失效。" + ifNotYou(lang)}
	}
	return Text{"You have new recovery codes", "The old ones are good for nothing now." + ifNotYou(lang)}
}

// RecoveryUsed tells of a recovery code that was used, and how many are left.
func RecoveryUsed(lang string, left int) Text {
	if lang == "zh-CN" {
		return Text{"有恢复码被使用", fmt.Sprintf("有人用一个恢复码代替了您的身份验证器，还剩 %d 个。如果不是您本人，请修改密码，并生成新的恢复码。", left)}
	}
	return Text{"A recovery code was used",
		fmt.Sprintf("Somebody used one of your recovery codes in place of your authenticator app; %d are left. If it was not you, change your password and make new codes.", left)}
}

// PasskeyAdded tells of a new passkey.
func PasskeyAdded(lang, name string) Text {
	name = oneLine(name)
	if lang == "zh-CN" {
		return Text{"已添加通行密钥", "现在可以用“" + name + "”登录。" + ifNotYou(lang)}
	}
	return Text{"A passkey was added", "You can now sign in with “" + name + "”." + ifNotYou(lang)}
}

// PasskeyRemoved tells that a passkey is gone.
func PasskeyRemoved(lang string) Text {
	if lang == "zh-CN" {
		return Text{"通行密钥已移除", "它不能再用于登录。" + ifNotYou(lang)}
	}
	return Text{"A passkey was removed", "It signs nobody in any more." + ifNotYou(lang)}
}

// PasskeyRefused tells of a passkey that seems to have been copied.
func PasskeyRefused(lang, name string) Text {
	name = oneLine(name)
	if lang == "zh-CN" {
		return Text{"通行密钥被拒绝", "通行密钥“" + name + "”会记录使用次数，而它的次数变小了，好像有人复制了它。请移除它，并添加新的通行密钥。"}
	}
	return Text{"A passkey was refused",
		"The passkey “" + name + "” counts its uses, and its count went back, as if there were a copy of it. Remove it and make a new one."}
}

// Linked tells of an account elsewhere that now opens this one.
func Linked(lang, email, provider string) Text {
	email, provider = oneLine(email), oneLine(provider)
	if lang == "zh-CN" {
		return Text{"已关联外部账户", fmt.Sprintf("现在可以用 %s 的账户 %s 登录。如果不是您本人，请取消关联并修改密码。", provider, email)}
	}
	return Text{"An account was linked",
		fmt.Sprintf("You can now sign in with %s at %s. If it was not you, unlink it and change your password.", email, provider)}
}

// Claimed tells who has shown that the address is theirs what became of the account.
func Claimed(lang string) Text {
	if lang == "zh-CN" {
		return Text{"邮箱地址已确认", "验证码表明此邮箱地址属于您。之前设置的密码、通行密钥、两步验证、API 密钥和其他会话均已移除。"}
	}
	return Text{"Your e-mail address is confirmed",
		"A mailed code showed that this address is yours. What was set up before that was removed: password, passkeys, second factors, API keys and other sessions."}
}

// FactorsReset tells that an administrator removed the second factors.
func FactorsReset(lang string) Text {
	if lang == "zh-CN" {
		return Text{"您的两步验证已被移除", "管理员移除了您的身份验证器、恢复码和通行密钥。如果您没有要求这样做，请修改密码。"}
	}
	return Text{"Your second factors were removed",
		"An administrator removed your authenticator app, recovery codes and passkeys. If you did not ask for this, change your password."}
}

// NewKey tells of a new API key.
func NewKey(lang, name string) Text {
	name = oneLine(name)
	if lang == "zh-CN" {
		return Text{"新的 API 密钥", "已为您的账户创建 API 密钥“" + name + "”。如果不是您本人，请撤销它并修改密码。"}
	}
	return Text{"A new API key", "The API key “" + name + "” was made for your account. If it was not you, revoke it and change your password."}
}

// Role tells who administers the server now, or no longer does.
func Role(lang string, admin bool) Text {
	switch zh := lang == "zh-CN"; {
	case zh && admin:
		return Text{"您现在是管理员", "管理员将您设为此服务器的管理员。"}
	case zh:
		return Text{"您不再是管理员", "其他管理员取消了您的管理员身份。"}
	case admin:
		return Text{"You administer this server now", "An administrator gave you the role."}
	}
	return Text{"You no longer administer this server", "Another administrator took the role from you."}
}

// StorageLow and the three below tell of a plan's limits; used and limit are sizes as
// people write them.
func StorageLow(lang, used, limit string) Text {
	if lang == "zh-CN" {
		return Text{"图片存储空间已用 80%", fmt.Sprintf("已用 %s，共 %s。请删除一些图片，或请管理员升级套餐。", used, limit)}
	}
	return Text{"80 % of your image storage is used",
		fmt.Sprintf("%s of %s. Delete pictures or ask the administrator to upgrade the plan.", used, limit)}
}

// StorageFull tells that no more pictures are taken in.
func StorageFull(lang, used, limit string) Text {
	if lang == "zh-CN" {
		return Text{"图片存储空间已用完", fmt.Sprintf("已用 %s，共 %s。不能再上传图片。请删除一些图片，或请管理员升级套餐。", used, limit)}
	}
	return Text{"Your image storage is used up",
		fmt.Sprintf("%s of %s. No more pictures are taken in. Delete pictures or ask the administrator to upgrade the plan.", used, limit)}
}

// DidNotFit tells that a picture was larger than the room that is left.
func DidNotFit(lang, used, limit string) Text {
	if lang == "zh-CN" {
		return Text{"图片存储空间不足", fmt.Sprintf("有一张图片放不下：已用 %s，共 %s。请删除一些图片，或请管理员升级套餐。", used, limit)}
	}
	return Text{"Your image storage is full",
		fmt.Sprintf("A picture did not fit: %s of %s are used. Delete pictures or ask the administrator to upgrade the plan.", used, limit)}
}

// BandwidthLow tells that most of a month's bandwidth is used.
func BandwidthLow(lang, used, limit string, when time.Time) Text {
	if lang == "zh-CN" {
		return Text{monthOf(lang, when) + "流量已用 80%", fmt.Sprintf("已用 %s，共 %s。如果不够用，请管理员升级套餐。", used, limit)}
	}
	return Text{"80 % of your bandwidth of " + monthOf(lang, when) + " is used",
		fmt.Sprintf("%s of %s. Ask the administrator to upgrade the plan if it will not do.", used, limit)}
}

// BandwidthFull tells that a month's bandwidth is used up.
func BandwidthFull(lang, used, limit string, when time.Time) Text {
	if lang == "zh-CN" {
		return Text{monthOf(lang, when) + "流量已用完", fmt.Sprintf("已用 %s，共 %s。链接仍可访问，但本月不能再上传图片。如果不够用，请管理员升级套餐。", used, limit)}
	}
	return Text{"Your bandwidth of " + monthOf(lang, when) + " is used up",
		fmt.Sprintf("%s of %s. Links go on working, but no more pictures are taken in this month. Ask the administrator to upgrade the plan if it will not do.", used, limit)}
}

func monthOf(lang string, when time.Time) string {
	if lang == "zh-CN" {
		return when.UTC().Format("2006 年 1 月")
	}
	return when.UTC().Format("January 2006")
}
