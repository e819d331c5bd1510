package language

import "rempart/message"

// words are the most frequent small words of languages in Latin letters, which any text of some sentences has many of: articles,
// pronouns, prepositions, forms of to be and to have, and what letters begin and end with. Our own choice, from general
// knowledge of each language; one that is a word of several stands with each of them, and counts less.
var words = [...]struct {
	language message.Language
	words    string
}{
	{message.English, `the and of to in is that for it you with on this are be as at your have from or by not we was will can our if has
		but they all an my their which more about would there what please dear regards been when who any should could thank do me`},
	{message.German, `der die das und ist nicht ein eine einen einem einer zu mit auf für von dem den des im sie wir ich es sich auch als an
		werden wird haben hat bei oder aus nach wenn sind ihr ihre ihnen ihren uns unser noch wie nur über zum zur bitte freundlichen grüßen sehr mehr kann`},
	{message.Dutch, `de het een en van is dat niet te zijn op aan met voor er maar om als uw je wij we ik ook bij naar door dan heeft
		worden wordt deze dit geen nog wel hebben kunt onze groet vriendelijke over zoals uit was heb kan meer`},
	{message.Swedish, `och att det är som en på för av med den till inte har de ett om vi jag så kan du från men ska eller när din ditt
		hälsningar vara mycket alla även hos oss efter här bara blir får mig mer kommer`},
	{message.Danish, `og at det er som en på for af med den til ikke har de et om vi jeg så kan du fra men skal eller når din dig
		hilsen være meget alle også hos os efter her kun bliver får mig mer kommer av hvis deres vil blive vores ble`},
	{message.French, `le la les des et est une un que pour dans qui sur au pas vous nous ce il elle avec plus par sont votre vos cette
		mais ou notre en du de ne se à être ont aux bonjour merci cordialement avez si tout fait comme leur même sans`},
	{message.Spanish, `el la los las de que y en un una por con para es se no del al lo su como más pero sus le ha esta este son está
		usted nos si o sobre también muy hay fue ser gracias saludos estimado todo cuando nuestra nuestro puede desde`},
	{message.Catalan, `el la els les de que i en un una per amb és no del al com més però seva ha aquesta aquest són dels
		vostre nos si o sobre també molt hi va ser gràcies salutacions benvolgut tot quan nostra pot des ens això`},
	{message.Portuguese, `o a os as de que e em um uma por com para é se não do da no na ao dos das como mais mas seu sua foi este esta
		você nos ou sobre também muito há ser obrigado atenciosamente pelo pela são está pode nosso nossa quando já isso tem`},
	{message.Italian, `il la le di che e in un una per con è non del della si lo gli i dei al alla come più ma sono ha questo questa
		anche nel nella da o se ci suo sua saluti grazie gentile cordiali essere stato tutti vostra nostro dal dalla`},
	{message.Romanian, `și si de la în in nu este cu pe un o care pentru din că mai sunt sau ce a al ale au fost prin dar vă ne să
		acest această lui mulțumesc salut stimate bună dumneavoastră după despre foarte poate avea`},
	{message.Polish, `i w na z do się nie to jest że o jak za po od dla ale czy co są przez oraz ma tego tym być pan pani państwo
		już tylko lub który która może przy pozdrawiam dziękuję mnie ich był bardzo nas`},
	{message.Czech, `a v na je se to že s z do o jako za po od pro ale jsou by i ve si které který která nebo tak jsem být až už
		dobrý den děkuji pozdravem jsme váš vaše bude při sa nie som ako pre čo sú ktoré ktorý alebo bol už ďakujem pozdravom vás byl`},
	{message.Croatian, `i je u na da se za su od s ne to o kao iz ali što koji koja koje bi ili sve će samo do nije te kako smo sam ima vas
		nas poštovani hvala pozdrav lijep može biti više in ki za ne tudi pri bo ter pozdravljeni hvala`},
	{message.Hungarian, `a az és hogy nem is egy van ez meg de csak már ha mint el volt vagy még az ön önnek kell lesz minden azt nagyon
		üdvözlettel köszönöm tisztelt kérjük amely ezt után alatt között nélkül fel itt így mert lehet`},
	{message.Finnish, `ja on ei se että oli mutta hän kun ovat myös niin kuin voi tai jos sen mitä tämä minä sinä joka vain olla sekä
		jo kanssa terveisin kiitos hei ole olet meidän teidän ovat tämän siitä mukaan sitten nyt vielä`},
	{message.Estonian, `ja on ei see et oli aga ta kui ka nii või mis seda oma kes välja pole siis veel ning saab palun tere
		lugupidamisega teie meie selle mida ainult juba peab tänan ole olen need`},
	{message.Latvian, `un ir no ar ka uz par tas nav lai bet vai arī kā pie tā to šo kas pēc jūs mēs jūsu ko tikai var būs
		paldies sveiki cieņu labdien vēl šis līdz bija es ja`},
	{message.Lithuanian, `ir yra su kad į iš tai ne bet ar kaip už apie jūs mes jūsų buvo tik nuo per po prie gali mūsų ačiū
		pagarbiai laba diena dar šis kurie kuris jau būti labai pat jei`},
	{message.Turkish, `ve bir bu için ile de da ne çok daha var olarak gibi en kadar ama sonra olan veya değil ben siz size bize
		her olduğu lütfen merhaba teşekkürler saygılarımla sayın nasıl tarafından ya ise tüm şu yok hesabınız`},
	{message.Vietnamese, `và của là không có cho các một được với trong này người những đã để khi đến về từ như tôi bạn chúng
		anh chị xin cảm ơn trân trọng nhưng hoặc vui lòng sẽ tại quý khách rất nếu ra vào`},
	{message.Indonesian, `yang dan di ini itu dengan untuk dari tidak dalam pada akan kami anda adalah ke oleh saya bisa atau juga
		sudah telah kita ada karena lebih terima kasih silakan hormat salam sebagai dapat tersebut bagi jika`},
	{message.Swahili, `na ya wa kwa ni za katika la kuwa hii hiyo cha yako wako kama au lakini sana wetu yetu asante habari
		tafadhali kwamba hapa baada watu ili pia huu zaidi wote mimi wewe sisi`},
}
