/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where 6.12 and 7.3 differ, for the modules here. The code is 7.3's way; what
 * is in between has not been tried.
 */
#ifndef MKW_COMPAT_H
#define MKW_COMPAT_H

#include <linux/fs.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
#define MKW_EXCL		/* ->create has no such argument */
#define MKW_BIN_ATTR		const struct bin_attribute
#define mkw_freeze_super(sb)	freeze_super(sb, FREEZE_HOLDER_USERSPACE, NULL)
#define mkw_kill_super		kill_anon_super
#else
#define MKW_EXCL		, bool excl
#define MKW_BIN_ATTR		struct bin_attribute
#define mkw_freeze_super(sb)	freeze_super(sb, FREEZE_HOLDER_USERSPACE)
#define mkw_kill_super		kill_litter_super

/* There is nowhere to look it up again. */
static inline void d_make_persistent(struct dentry *dentry, struct inode *inode)
{
	d_instantiate(dentry, inode);
	dget(dentry);
}
#endif

#endif
