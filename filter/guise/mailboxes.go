package guise

// freemail are the domains at which anybody may open a mailbox that lasts: what their users write in their own names.
var freemail = set(`
	gmail.com googlemail.com
	hotmail.com hotmail.co.uk hotmail.fr hotmail.de hotmail.it hotmail.es hotmail.com.ar hotmail.com.br hotmail.com.tr hotmail.ca
	hotmail.be hotmail.nl hotmail.se hotmail.no hotmail.dk hotmail.fi hotmail.gr hotmail.co.jp hotmail.co.th hotmail.com.au
	outlook.com outlook.fr outlook.de outlook.es outlook.it outlook.jp outlook.pt outlook.be outlook.dk outlook.ie outlook.in
	outlook.co.id outlook.co.th outlook.com.ar outlook.com.au outlook.com.br outlook.com.tr outlook.com.vn outlook.kr outlook.sa
	outlook.sk outlook.cl outlook.cz outlook.ph outlook.my outlook.sg outlook.hu outlook.at
	live.com live.co.uk live.fr live.de live.it live.nl live.be live.ca live.com.au live.com.mx live.com.pt live.cn live.dk live.no
	live.se live.jp live.in live.ie live.co.za msn.com windowslive.com passport.com
	yahoo.com yahoo.co.uk yahoo.fr yahoo.de yahoo.it yahoo.es yahoo.ca yahoo.com.br yahoo.com.ar yahoo.com.mx yahoo.com.au
	yahoo.com.cn yahoo.com.hk yahoo.com.tw yahoo.com.sg yahoo.com.ph yahoo.com.vn yahoo.com.my yahoo.com.tr yahoo.com.co yahoo.cl
	yahoo.co.in yahoo.in yahoo.co.id yahoo.co.jp yahoo.co.kr yahoo.co.nz yahoo.co.th yahoo.co.za yahoo.cn yahoo.dk yahoo.no yahoo.se
	yahoo.gr yahoo.ie yahoo.pl yahoo.ro yahoo.at yahoo.be yahoo.nl yahoo.pt ymail.com rocketmail.com myyahoo.com
	aol.com aol.co.uk aol.de aol.fr aol.it aol.es aim.com netscape.net verizon.net att.net sbcglobal.net bellsouth.net
	comcast.net cox.net charter.net earthlink.net juno.com netzero.net netzero.com optonline.net roadrunner.com
	icloud.com me.com mac.com
	gmx.com gmx.net gmx.de gmx.at gmx.ch gmx.fr gmx.us gmx.co.uk web.de freenet.de t-online.de arcor.de mail.de email.de
	online.de posteo.de mailbox.org 1und1.de
	mail.com email.com usa.com post.com europe.com asia.com consultant.com dr.com engineer.com lawyer.com myself.com writeme.com
	techie.com accountant.com cheerful.com contractor.net execs.com financier.com iname.com inorbit.com diplomats.com
	minister.com musician.org usa.net hush.com hushmail.com fastmail.com fastmail.fm zoho.com zohomail.com zohomail.eu
	proton.me protonmail.com protonmail.ch pm.me tutanota.com tutanota.de tutamail.com tuta.io keemail.me startmail.com
	mailfence.com runbox.com lycos.com excite.com inbox.com inbox.lv inbox.lt mail.ee
	orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr bbox.fr numericable.fr aliceadsl.fr club-internet.fr
	libero.it virgilio.it alice.it tin.it tiscali.it email.it iol.it inwind.it
	terra.com.br uol.com.br bol.com.br ig.com.br globo.com globomail.com oi.com.br r7.com terra.com terra.es telefonica.net
	ono.com sapo.pt telenet.be skynet.be proximus.be ziggo.nl kpnmail.nl planet.nl home.nl hetnet.nl xs4all.nl
	bluewin.ch hispeed.ch btinternet.com sky.com virginmedia.com talktalk.net ntlworld.com blueyonder.co.uk tiscali.co.uk
	bigpond.com bigpond.net.au optusnet.com.au xtra.co.nz rogers.com shaw.ca sympatico.ca telus.net videotron.ca
	mail.ru inbox.ru list.ru bk.ru internet.ru yandex.ru yandex.com ya.ru yandex.ua yandex.by yandex.kz rambler.ru lenta.ru
	autorambler.ru ukr.net i.ua meta.ua bigmir.net tut.by abv.bg mail.bg
	wp.pl o2.pl onet.pl op.pl interia.pl interia.eu poczta.onet.pl vp.pl gazeta.pl poczta.fm tlen.pl
	seznam.cz email.cz centrum.cz atlas.cz post.cz volny.cz azet.sk centrum.sk zoznam.sk post.sk freemail.hu citromail.hu
	walla.com walla.co.il netvision.net.il mynet.com hotmail.co.il rediffmail.com rediff.com sify.com indiatimes.com in.com
	qq.com vip.qq.com foxmail.com 163.com 126.com yeah.net 139.com 189.cn sina.com sina.cn vip.sina.com sohu.com aliyun.com
	21cn.com tom.com naver.com hanmail.net daum.net nate.com kakao.com
	docomo.ne.jp ezweb.ne.jp softbank.ne.jp i.softbank.jp nifty.com biglobe.ne.jp ocn.ne.jp goo.jp excite.co.jp
	pchome.com.tw hinet.net seed.net.tw singnet.com.sg mweb.co.za webmail.co.za telkomsa.net vodamail.co.za
	eim.ae emirates.net.ae maktoob.com`)

// disposable are the domains of mailboxes that need no password and last for minutes or days.
var disposable = set(`
	mailinator.com mailinator.net mailinator2.com sogetthis.com suremail.info thisisnotmyrealemail.com binkmail.com bobmail.info
	chammy.info devnullmail.com letthemeatspam.com mailinater.com reallymymail.com reconmail.com safetymail.info
	sendspamhere.com spamherelots.com spamhereplease.com streetwisemail.com tradermail.info veryrealemail.com zippymail.info
	guerrillamail.com guerrillamail.net guerrillamail.org guerrillamail.biz guerrillamail.de guerrillamailblock.com grr.la
	sharklasers.com spam4.me pokemail.net
	10minutemail.com 10minutemail.net 10minutemail.org 10minutemail.co.za 10minmail.de 20minutemail.com 20mail.it 30minutemail.com
	temp-mail.org temp-mail.io temp-mail.ru tempmail.com tempmail.net tempmail.de tempmail.it tempmail.plus tempmailo.com
	tempmailaddress.com temp-mail.de tempail.com tempinbox.com tempemail.net tempemail.com tempomail.fr temporaryemail.net
	temporarymail.org tempr.email tmpmail.org tmpmail.net tmail.ws tmailinator.com tmpeml.com tmpbox.net
	yopmail.com yopmail.fr yopmail.net cool.fr.nf jetable.fr.nf nospam.ze.tm nomail.xl.cx mega.zik.dj speed.1s.fr courriel.fr.nf
	moncourrier.fr.nf monemail.fr.nf monmail.fr.nf jetable.org jetable.com jetable.net
	trashmail.com trashmail.net trashmail.org trashmail.de trashmail.at trashmail.me trashmail.io trash-mail.com trash-mail.de
	trashmailer.com trashymail.com trashymail.net wegwerfmail.de wegwerfmail.net wegwerfmail.org wegwerfemail.de
	wegwerfemail.com wegwerf-email.de einrot.com sofort-mail.de spambog.com spambog.de spambog.ru discardmail.com discardmail.de
	fakeinbox.com fakemail.net fakemailgenerator.com armyspy.com cuvox.de dayrep.com fleckens.hu gustr.com jourrapide.com
	rhyta.com superrito.com teleworm.us
	maildrop.cc mailnesia.com mailnull.com mailcatch.com mailexpire.com mailmoat.com mailtemp.info mailtothis.com mailzilla.com
	mail-temporaire.fr mail-temp.com mailsac.com mailscrap.com mailpoof.com mailforspam.com mailbidon.com mail1a.de
	mailimate.com mailmetrash.com mailslite.com mailismagic.com mailhazard.com mytemp.email mytrashmail.com
	mt2015.com mohmal.com moakt.com moakt.cc moakt.ws disbox.net disbox.org tmails.net emailondeck.com email-fake.com
	emailfake.com generator.email emailtemporario.com.br emailtemporanea.com emailtemporanea.net emailsensei.com emailtmp.com
	emlhub.com emltmp.com emlpro.com dropmail.me 10mail.org yomail.info minimail.gq
	getnada.com nada.email nada.ltd inboxkitten.com inboxbear.com inboxproxy.com burnermail.io getairmail.com
	dispostable.com disposableaddress.com disposableinbox.com disposeamail.com dodgeit.com dodgit.com dontreg.com
	deadaddress.com despam.it filzmail.com getonemail.com haltospam.com hidemail.de hidzz.com incognitomail.com
	incognitomail.org instant-mail.de kasmail.com klassmaster.com killmail.com killmail.net kurzepost.de lroid.com
	meltmail.com mintemail.com no-spam.ws nobulk.com noclickemail.com nospamfor.us nospam4.us nowmymail.com objectmail.com
	oneoffemail.com onewaymail.com owlpic.com proxymail.eu rcpt.at rtrtr.com s0ny.net selfdestructingmail.com
	shieldemail.com shortmail.net smellfear.com snakemail.com spam.la spamavert.com spambob.com spambox.us spamcero.com
	spamday.com spamfree24.com spamfree24.de spamfree24.org spamhole.com spaml.com 
	spamobox.com spamspot.com spamthis.co.uk speedymail.org spoofmail.de stuffmail.de throwam.com throwawaymail.com
	throwawayemailaddress.com tilien.com tyldd.com uggsrock.com upliftnow.com venompen.com vomoto.com weg-werf-email.de
	wh4f.org willselfdestruct.com winemaven.info wuzup.net xagloo.com xoxy.net yep.it yogamaven.com zehnminutenmail.de zoemail.org
	1secmail.com 1secmail.net 1secmail.org esiix.com wwjmp.com xojxe.com yoggm.com kzccv.com qiott.com vjuum.com laafd.com txcct.com
	anonbox.net anonymbox.com antichef.com bugmenot.com byom.de chacuo.net crazymailing.com eyepaste.com luxusmail.org
	muellmail.com mvrht.net rppkn.com linshiyouxiang.net linshi-email.com 027168.com bccto.me`)
