import { register } from 'tsx/esm/api'

register()
await import(new URL(`fixtures/${process.env['NETLINK_CT_WORKER']}`, import.meta.url).href)
